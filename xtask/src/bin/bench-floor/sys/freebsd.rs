//! FreeBSD: jail_set(2), jail_attach(2), jail_remove(2), nmount(2), unmount(2).

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, Nmount, unmount};

use super::Forked;

/// The mount points and what is mounted on them, in that order. A file system with a rule set is
/// the devices that jails may see.
const MOUNTS: [(&str, &CStr, Option<&CStr>); 3] =
    [("dev", c"devfs", Some(c"4")), ("dev/fd", c"fdescfs", None), ("tmp", c"tmpfs", None)];

/// Makes the jail and what is mounted in it.
pub(crate) fn create(root: &Path, name: &str) -> io::Result<i32> {
    for (point, file_system, ruleset) in MOUNTS {
        let point = CString::new(root.join(point).as_os_str().as_bytes())?;
        let mut request = Nmount::new();
        request.str_opt(c"fstype", file_system).str_opt(c"fspath", &point);
        request.str_opt(c"from", file_system);
        if let Some(ruleset) = ruleset {
            request.str_opt(c"ruleset", ruleset);
        }
        request.nmount(MntFlags::empty()).map_err(|refusal| io::Error::from(refusal.error()))?;
    }
    let name = CString::new(format!("floor{name}"))?;
    let path = CString::new(root.as_os_str().as_bytes())?;
    let parameters = [(c"name", Some(&name)), (c"path", Some(&path)), (c"persist", None)];
    let mut iov = Vec::with_capacity(2 * parameters.len());
    for (key, value) in parameters {
        iov.push(text(Some(key)));
        iov.push(text(value.map(CString::as_c_str)));
    }
    let count = iov.len().try_into().map_err(io::Error::other)?;
    // SAFETY: the iovecs are of live memory that the kernel only reads.
    let jid = unsafe { libc::jail_set(iov.as_mut_ptr(), count, libc::JAIL_CREATE) };
    Ok(Errno::result(jid)?)
}

/// A C string with its NUL; a parameter without a value has none.
fn text(text: Option<&CStr>) -> libc::iovec {
    let bytes = text.map_or(&[][..], CStr::to_bytes_with_nul);
    let base = if bytes.is_empty() { std::ptr::null_mut() } else { bytes.as_ptr().cast_mut() };
    libc::iovec { iov_base: base.cast(), iov_len: bytes.len() }
}

/// Forks a process that is to enter the jail.
pub(crate) fn fork_for(_jail: i32) -> io::Result<Forked> {
    super::fork()
}

/// Enters the jail.
pub(crate) fn enter(jail: i32, _root: &Path) -> io::Result<()> {
    // SAFETY: takes no pointer.
    Ok(Errno::result(unsafe { libc::jail_attach(jail) }).map(drop)?)
}

/// Ends the jail and everything in it, and unmounts what was mounted. A process that is not gone
/// yet does not hold a mount that is forced off.
pub(crate) fn remove(jail: i32, root: &Path) -> io::Result<()> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::jail_remove(jail) })?;
    for (point, ..) in MOUNTS.iter().rev() {
        unmount(&root.join(point), MntFlags::MNT_FORCE)?;
    }
    Ok(())
}
