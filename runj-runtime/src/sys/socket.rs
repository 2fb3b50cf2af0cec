//! Unix sockets at paths of any length.
//!
//! A socket's address has room for some hundred bytes of path. So the directory is opened, and
//! the socket is named relative to it.

use std::ffi::c_char;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;

use super::platform;
use crate::beneath;

/// Makes a listening socket at `path`, which must not exist.
pub(crate) fn listen(path: &Path) -> Result<OwnedFd, Errno> {
    let socket = socket()?;
    at(path, |directory, address, length| {
        platform::bind_at(directory, socket.as_raw_fd(), address, length)
    })?;
    // One `start` at a time is let in, by the container's lock.
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::listen(socket.as_raw_fd(), 1) })?;
    Ok(socket)
}

/// Connects to the socket at `path`.
pub(crate) fn connect(path: &Path) -> Result<OwnedFd, Errno> {
    let socket = socket()?;
    at(path, |directory, address, length| {
        platform::connect_at(directory, socket.as_raw_fd(), address, length)
    })?;
    Ok(socket)
}

fn socket() -> Result<OwnedFd, Errno> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer.
    let fd: RawFd = Errno::result(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Calls `with` with the directory of `path` and the address of its last name there.
fn at(
    path: &Path,
    with: impl FnOnce(BorrowedFd<'_>, &libc::sockaddr_un, libc::socklen_t) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let name = path.file_name().ok_or(Errno::EISDIR)?.as_bytes();
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = beneath::open_root(directory)?;
    let prefix = platform::socket_prefix(directory.as_fd());
    // SAFETY: all zeroes is a valid sockaddr_un.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX.try_into().map_err(|_| Errno::EINVAL)?;
    let bytes = prefix.as_bytes().iter().chain(name);
    let mut room = address.sun_path.iter_mut();
    for &byte in bytes {
        *room.next().ok_or(Errno::ENAMETOOLONG)? = c_char::from_ne_bytes([byte]);
    }
    // The kernel wants a NUL behind the path.
    room.next().ok_or(Errno::ENAMETOOLONG)?;
    let length =
        libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).map_err(|_| Errno::EINVAL)?;
    with(directory.as_fd(), &address, length)
}
