//! FreeBSD.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, Nmount};

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
