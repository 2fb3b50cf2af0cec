//! pidfds: processes that cannot be mistaken for others (`pidfd_open(2)`).

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// `pidfd_open(2)`; `None` when there is no such process.
pub(super) fn open(pid: i32) -> Result<Option<OwnedFd>, Errno> {
    if pid <= 0 {
        return Ok(None);
    }
    // SAFETY: the call takes no pointer.
    match descriptor(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }) {
        Ok(fd) => Ok(Some(fd)),
        // EINVAL: it is a thread, not a process.
        Err(Errno::ESRCH | Errno::EINVAL) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// `pidfd_send_signal(2)`.
pub(super) fn signal(process: &impl AsFd, signal: i32) -> Result<(), Errno> {
    let fd = process.as_fd().as_raw_fd();
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo stands for the one of kill(2).
    Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, info, 0) })
        .map(drop)
}

/// `pidfd_getfd(2)`: a duplicate of the descriptor `target` of that process.
pub(super) fn duplicate(process: &impl AsFd, target: RawFd) -> Result<OwnedFd, Errno> {
    let fd = process.as_fd().as_raw_fd();
    // SAFETY: the call takes no pointer.
    descriptor(unsafe { libc::syscall(libc::SYS_pidfd_getfd, fd, target, 0) })
}

/// The descriptor that a system call returned, now owned.
pub(super) fn descriptor(result: libc::c_long) -> Result<OwnedFd, Errno> {
    let fd = Errno::result(result)?;
    let fd = RawFd::try_from(fd).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel just made this descriptor for us; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
