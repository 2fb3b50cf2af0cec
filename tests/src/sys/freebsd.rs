//! FreeBSD.

use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr, c_int};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;

use nix::errno::Errno;
use nix::mount::{MntFlags, unmount as nix_unmount};

use crate::containerd::{Entry, Userland};
use crate::sandbox::MARK;

/// Where file systems are mounted, the oldest first (getfsstat(2)).
pub(crate) fn mounts() -> Vec<PathBuf> {
    // SAFETY: without a buffer the kernel only counts.
    let count = unsafe { libc::getfsstat(ptr::null_mut(), 0, libc::MNT_NOWAIT) };
    let count = usize::try_from(count).expect("getfsstat(2)") + 16;
    let mut table: Vec<libc::statfs> = Vec::with_capacity(count);
    let length = (count * size_of::<libc::statfs>()).try_into().expect("a size");
    // SAFETY: the buffer is as long as we say.
    let count = unsafe { libc::getfsstat(table.as_mut_ptr(), length, libc::MNT_NOWAIT) };
    let count = usize::try_from(count).expect("getfsstat(2)");
    // SAFETY: the kernel has filled in that many.
    unsafe { table.set_len(count) };
    let on = |mount: &libc::statfs| {
        // SAFETY: the kernel ends the path with a NUL.
        let path = unsafe { CStr::from_ptr(mount.f_mntonname.as_ptr()) };
        PathBuf::from(OsStr::from_bytes(path.to_bytes()))
    };
    table.iter().map(on).collect()
}

/// Exchanges two files by their names, if both are there. For a moment the first one is missing.
pub fn exchange(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    let _ = fs::rename(one, &aside)
        .and_then(|()| fs::rename(other, one))
        .and_then(|()| fs::rename(aside, other));
}

/// Makes this process the parent of those of its descendants whose own has ended (procctl(2)).
pub(crate) fn become_reaper() -> io::Result<()> {
    let me = libc::id_t::from(std::process::id());
    // SAFETY: the command takes no argument.
    let result =
        unsafe { libc::procctl(libc::P_PID, me, libc::PROC_REAP_ACQUIRE, ptr::null_mut()) };
    Errno::result(result)?;
    Ok(())
}

/// Unmounts what is on that path.
pub(crate) fn unmount(path: &Path) -> io::Result<()> {
    nix_unmount(path, MntFlags::MNT_FORCE)?;
    Ok(())
}

/// The processes that have the sandbox at `path` as [`MARK`] in their environment.
pub(crate) fn marked_processes(path: &Path) -> BTreeSet<i32> {
    let mark = [MARK.as_bytes(), b"=", path.as_os_str().as_bytes()].concat();
    let marked = |pid: &i32| {
        // One that has ended meanwhile has no environment, and neither has the kernel's own.
        let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ENV, *pid];
        let environment: Vec<u8> = sysctl(mib).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == mark)
    };
    let all = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PROC, 0];
    let table: Vec<libc::kinfo_proc> = sysctl(all).expect("the table of processes");
    table.iter().map(|process| process.ki_pid).filter(marked).collect()
}

/// The words of a process's command line, each ended by a NUL; nothing of one that has ended.
pub(crate) fn command_line(pid: i32) -> Vec<u8> {
    sysctl([libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ARGS, pid]).unwrap_or_default()
}

/// Whether a process is stopped, as by SIGSTOP.
#[must_use]
pub fn is_stopped(pid: i32) -> bool {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid];
    let found: Vec<libc::kinfo_proc> = sysctl(mib).unwrap_or_default();
    found.first().is_some_and(|process| process.ki_stat == libc::SSTOP)
}

/// What the tests call in containers.
const PROGRAMS: [&str; 15] = [
    "/bin/cat",
    "/bin/dd",
    "/bin/echo",
    "/bin/ls",
    "/bin/pwd",
    "/bin/sh",
    "/bin/sleep",
    "/bin/stty",
    "/sbin/ping",
    "/usr/bin/grep",
    "/usr/bin/nc",
    "/usr/bin/touch",
    "/usr/bin/tr",
    "/usr/bin/true",
    "/usr/bin/tty",
];

/// The program of all digests, which goes by the name that it is called by.
const DIGESTS: &str = "/sbin/md5";

/// FreeBSD's own programs and the libraries that they are linked with (ldd(1)).
pub(crate) fn userland() -> Result<Userland, &'static str> {
    let libraries = Command::new("ldd").args(["-f", "%p\\n"]).args(PROGRAMS).arg(DIGESTS).output();
    let libraries = String::from_utf8(libraries.expect("ldd").stdout).expect("paths");
    // One that the kernel gives to each process has a name and no path.
    let mut paths: Vec<_> = libraries.lines().filter(|path| path.starts_with('/')).collect();
    paths.extend(PROGRAMS);
    paths.extend(["/libexec/ld-elf.so.1", DIGESTS]);
    paths.sort_unstable();
    paths.dedup();
    let copy = |path: &str| (path[1..].into(), Entry::Copy(path.into()));
    let link = ("sbin/sha256sum".into(), Entry::Link(DIGESTS.into()));
    Ok(Userland(paths.into_iter().map(copy).chain([link]).collect()))
}

/// sysctl(3): a list of plain numbers and structures of such.
fn sysctl<T>(mib: [c_int; 4]) -> Result<Vec<T>, Errno> {
    loop {
        let mut length = 0;
        // SAFETY: without a buffer the kernel only says how much there is.
        Errno::result(unsafe {
            libc::sysctl(mib.as_ptr(), 4, ptr::null_mut(), &mut length, ptr::null(), 0)
        })?;
        let mut values: Vec<T> = Vec::with_capacity(length / size_of::<T>() + 4096);
        length = values.capacity() * size_of::<T>();
        let buffer = values.as_mut_ptr().cast();
        // SAFETY: the buffer is as long as we say.
        match Errno::result(unsafe {
            libc::sysctl(mib.as_ptr(), 4, buffer, &mut length, ptr::null(), 0)
        }) {
            Ok(_) => {
                // SAFETY: the kernel has filled in that much.
                unsafe { values.set_len(length / size_of::<T>()) };
                return Ok(values);
            }
            // More than a moment ago.
            Err(Errno::ENOMEM) => {}
            Err(errno) => return Err(errno),
        }
    }
}
