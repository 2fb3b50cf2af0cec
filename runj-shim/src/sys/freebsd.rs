//! FreeBSD.

use std::ffi::{CString, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use nix::errno::Errno;
use nix::mount::{MntFlags, Nmount};

use super::Usage;

/// procctl(2), `PROC_REAP_ACQUIRE`.
pub(crate) fn become_reaper() -> io::Result<()> {
    rustix::process::set_reaper_status(true)?;
    Ok(())
}

/// Mounts what containerd asks for (nmount(2)).
///
/// Its snapshotter `native` asks for nullfs, `zfs` for zfs; the options are those of mount(8).
pub(crate) fn mount(
    fstype: &str,
    source: &str,
    options: &[String],
    on: &Path,
) -> Result<(), String> {
    let text = |text: &[u8]| CString::new(text).map_err(|error| error.to_string());
    // Linux's name for the same.
    let fstype = text(if fstype == "bind" { b"nullfs" } else { fstype.as_bytes() })?;
    let source = text(source.as_bytes())?;
    let on = text(on.as_os_str().as_bytes())?;
    let mut flags = MntFlags::empty();
    let mut others = Vec::new();
    for option in options {
        match option.as_str() {
            "ro" => flags.insert(MntFlags::MNT_RDONLY),
            "rw" => flags.remove(MntFlags::MNT_RDONLY),
            "nosuid" => flags.insert(MntFlags::MNT_NOSUID),
            "noexec" => flags.insert(MntFlags::MNT_NOEXEC),
            "noatime" => flags.insert(MntFlags::MNT_NOATIME),
            // A nullfs always shows the whole.
            "bind" | "rbind" => {}
            option => others.push(match option.split_once('=') {
                Some((name, value)) => (text(name.as_bytes())?, Some(text(value.as_bytes())?)),
                None => (text(option.as_bytes())?, None),
            }),
        }
    }
    let mut request = Nmount::new();
    request.str_opt(c"fstype", &fstype).str_opt(c"fspath", &on);
    request.str_opt(c"from", &source);
    for (name, value) in &others {
        match value {
            Some(value) => request.str_opt(name, value),
            None => request.null_opt(name),
        };
    }
    request.nmount(flags).map_err(|error| match error.errmsg() {
        Some(message) => format!("{message} ({})", error.error()),
        None => error.error().to_string(),
    })
}

/// Unmounts everything that is mounted on exactly this path.
pub(crate) fn unmount(path: &Path) -> Result<(), Errno> {
    loop {
        let unmounted = match nix::mount::unmount(path, MntFlags::empty()) {
            // What keeps it busy can only be what the kernel itself still holds, such as the root
            // of a dying jail.
            Err(Errno::EBUSY) => nix::mount::unmount(path, MntFlags::MNT_FORCE),
            unmounted => unmounted,
        };
        match unmounted {
            Ok(()) => {}
            // Nothing is, any more.
            Err(Errno::EINVAL | Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

/// What these processes use (sysctl(3), `kern.proc.pid`); those that have ended meanwhile use
/// nothing.
pub(crate) fn usage(pids: &[i32]) -> io::Result<Usage> {
    let page = u64::try_from(rustix::param::page_size()).map_err(io::Error::other)?;
    let mut usage = Usage::default();
    for &pid in pids {
        let Some(process) = process(pid) else { continue };
        usage.user += nanoseconds(process.ki_rusage.ru_utime);
        usage.kernel += nanoseconds(process.ki_rusage.ru_stime);
        usage.resident += u64::try_from(process.ki_rssize).unwrap_or_default() * page;
    }
    Ok(usage)
}

fn process(pid: i32) -> Option<libc::kinfo_proc> {
    let mib: [c_int; 4] = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid];
    let mut process = MaybeUninit::<libc::kinfo_proc>::uninit();
    let mut length = size_of::<libc::kinfo_proc>();
    // SAFETY: the buffer is as long as we say.
    let result = unsafe {
        libc::sysctl(
            mib.as_ptr(),
            4,
            process.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
            ptr::null(),
            0,
        )
    };
    if result != 0 || length != size_of::<libc::kinfo_proc>() {
        return None;
    }
    // SAFETY: the kernel has filled in all of it.
    Some(unsafe { process.assume_init() })
}

fn nanoseconds(time: libc::timeval) -> u64 {
    let whole = u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000;
    whole + u64::try_from(time.tv_usec).unwrap_or_default() * 1000
}
