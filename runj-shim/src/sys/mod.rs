//! What differs between the platforms, one module each behind one interface.
//!
//! `unsafe` lives below this module and nowhere else in the crate.

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use tokio::io::unix::AsyncFd;

pub(crate) use platform::{become_reaper, mount, unmount};

/// Lets the runtime wait for a descriptor, which no longer waits itself.
pub(crate) fn pollable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    rustix::io::ioctl_fionbio(fd.as_fd(), true)?;
    // SAFETY: an OwnedFd is one descriptor from first to last, and open as long as it lives.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
