//! Trying to trace a process that is on its way into the jail.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid};
use serde_json::{Value, json};

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many pids after its own the tracer looks at; the kernel gives them out in order.
const NEXT: i32 = 60;

/// Which process to trace: one, or whichever comes next.
pub(crate) fn victims(who: &str) -> Vec<Pid> {
    match who {
        "next" => (1..=NEXT).map(|number| Pid::from_raw(getpid().as_raw() + number)).collect(),
        pid => vec![Pid::from_raw(pid.parse().expect("a pid"))],
    }
}

/// Attaches to one of the processes (ptrace(2)) as soon as the kernel lets it, and lets go of it.
pub(crate) fn attach(victims: &[Pid]) -> Value {
    until_allowed(victims, |pid| {
        ptrace::attach(pid)?;
        waitpid(pid, None)?;
        let program = program(pid)?;
        ptrace::detach(pid, None)?;
        Ok(program)
    })
}

/// Has the system calls of one of the processes recorded (ktrace(2)) as soon as the kernel lets it.
pub(crate) fn record(victims: &[Pid]) -> Value {
    // sys/ktrace.h; libc does not have them.
    const KTROP_SET: c_int = 0;
    const KTRFAC_SYSCALL: c_int = 1 << 1;
    unsafe extern "C" {
        fn ktrace(file: *const c_char, ops: c_int, trpoints: c_int, pid: c_int) -> c_int;
    }
    let file = c"/ktrace.out";
    std::fs::write("/ktrace.out", "").expect("a file");
    until_allowed(victims, |pid| {
        // SAFETY: the pointer is to a C string.
        Errno::result(unsafe { ktrace(file.as_ptr(), KTROP_SET, KTRFAC_SYSCALL, pid.as_raw()) })?;
        program(pid)
    })
}

/// Has the kernel tell what one of the processes knows (sysctl(3)) as soon as it does: its
/// environment, its descriptors, or what its memory is made of.
pub(crate) fn read(victims: &[Pid], what: &str) -> Value {
    let what = match what {
        "environment" => libc::KERN_PROC_ENV,
        "descriptors" => libc::KERN_PROC_FILEDESC,
        "mappings" => libc::KERN_PROC_VMMAP,
        what => panic!("no such thing: {what}"),
    };
    let mut buffer = vec![0u8; 1 << 20];
    until_allowed(victims, |pid| {
        let mib = [libc::CTL_KERN, libc::KERN_PROC, what, pid.as_raw()];
        let mut length = buffer.len();
        // SAFETY: the buffer is as long as we say.
        Errno::result(unsafe {
            let buffer = buffer.as_mut_ptr().cast();
            libc::sysctl(mib.as_ptr(), 4, buffer, &mut length, std::ptr::null(), 0)
        })?;
        program(pid)
    })
}

/// Tries on and on; tells the errnos in the order in which they first came, and which program it
/// was that the kernel let be traced in the end.
fn until_allowed(victims: &[Pid], mut act: impl FnMut(Pid) -> Result<String, Errno>) -> Value {
    let deadline = Instant::now() + PATIENCE;
    let mut seen: Vec<String> = Vec::new();
    while Instant::now() < deadline {
        for &pid in victims {
            match act(pid) {
                Ok(program) => return json!({ "refused": seen, "program": program }),
                Err(errno) => {
                    let errno = format!("{errno:?}");
                    if !seen.contains(&errno) {
                        seen.push(errno);
                    }
                }
            }
        }
    }
    json!({ "refused": seen })
}

/// The path of a process's program, as far as it is told here.
fn program(pid: Pid) -> Result<String, Errno> {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PATHNAME, pid.as_raw()];
    let mut path = [0u8; 1024];
    let mut length = path.len();
    // SAFETY: the buffer is as long as we say.
    Errno::result(unsafe {
        let buffer = path.as_mut_ptr().cast();
        libc::sysctl(mib.as_ptr(), 4, buffer, &mut length, std::ptr::null(), 0)
    })?;
    let path = CStr::from_bytes_until_nul(&path).expect("a NUL");
    Ok(path.to_string_lossy().into_owned())
}
