//! procfs(5): its files, and one of the pid namespace that one is in, mounted nowhere (fsopen(2),
//! fsmount(2)).

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::ptr;

use nix::errno::Errno;

use super::pidfd::descriptor;

/// `FSOPEN_CLOEXEC` (`linux/mount.h`).
const FSOPEN_CLOEXEC: libc::c_uint = 1;
/// `FSMOUNT_CLOEXEC`.
const FSMOUNT_CLOEXEC: libc::c_uint = 1;
/// `FSCONFIG_CMD_CREATE`.
const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
/// `MOUNT_ATTR_NOSUID`, `MOUNT_ATTR_NODEV` and `MOUNT_ATTR_NOEXEC`.
const ATTRIBUTES: libc::c_uint = 2 | 4 | 8;

/// What is in a file. Those of a procfs say that they are empty, and would be read in many small
/// parts for it.
pub(super) fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(1024);
    File::open(path)?.read_to_end(&mut text)?;
    Ok(text)
}

/// A new procfs, which shows the processes of the caller's own pid namespace.
pub(super) fn detached() -> Result<OwnedFd, Errno> {
    let kind: &CStr = c"proc";
    // SAFETY: the name is a C string.
    let context =
        descriptor(unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC) })?;
    let fd = context.as_raw_fd();
    let none = ptr::null::<libc::c_char>();
    // SAFETY: the command takes neither key nor value.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, none, none, 0)
    })?;
    // SAFETY: the call takes no pointer.
    descriptor(unsafe { libc::syscall(libc::SYS_fsmount, fd, FSMOUNT_CLOEXEC, ATTRIBUTES) })
}
