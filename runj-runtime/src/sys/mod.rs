//! What the kernel does, one module per platform behind one interface.
//!
//! `unsafe` lives below this module and nowhere else in the crate.

mod entry;
#[cfg(target_os = "freebsd")]
mod freebsd;
mod hook;
mod limits;
#[cfg(target_os = "linux")]
mod linux;
mod socket;
mod start_hooks;
mod terminal;

#[cfg(target_os = "freebsd")]
use freebsd as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

pub(crate) use entry::{Entry, Failure, Gate, Report, Stage};
pub(crate) use hook::{keep_only_standard_streams, kill_group, spawn_noted};
pub(crate) use limits::{Limit, limit, limit_names};
pub(crate) use platform::{
    MOUNTS_FILES, apply_rule, group_list, make_read_only, mount, mount_of, mounted, unmount,
};
pub(crate) use socket::{connect, listen};
pub(crate) use start_hooks::{HookEnd, HookFailure, StartHook, StartHooks};
pub use terminal::copy_terminal_size;
pub(crate) use terminal::{owned, set_terminal_size, terminal_name};

/// A mounted file system, told from all others that are mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MountId(u64);

/// A file system that has just been mounted.
#[derive(Debug)]
pub(crate) struct NewMount {
    pub(crate) id: MountId,
    /// Its root.
    pub(crate) root: OwnedFd,
}

/// One line of the kernel's table of mounts.
#[derive(Clone, Debug)]
pub(crate) struct Mounted {
    pub(crate) id: MountId,
    /// What it is mounted on.
    pub(crate) path: PathBuf,
}

/// Why the kernel did not mount something.
#[derive(Debug)]
pub(crate) struct MountRefusal {
    pub(crate) errno: Errno,
    /// The kernel's own text, where it gave one.
    pub(crate) message: Option<String>,
}

impl From<Errno> for MountRefusal {
    fn from(errno: Errno) -> Self {
        Self { errno, message: None }
    }
}

impl fmt::Display for MountRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} ({})", self.errno),
            None => self.errno.fmt(f),
        }
    }
}

/// Which boot of the machine this is; nothing where the kernel does not say.
pub(crate) fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(platform::boot_id)
}

/// Whether the descriptor of that number, which the caller has handed to us, is a directory's.
///
/// One that is close-on-exec is none: it was opened here since.
pub(crate) fn is_directory(fd: u32) -> Result<bool, Errno> {
    let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
    // SAFETY: takes no pointer.
    let flags = Errno::result(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    if flags & libc::FD_CLOEXEC != 0 {
        return Err(Errno::EBADF);
    }
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is to room for a stat.
    Errno::result(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: fstat(2) has filled it in.
    Ok(unsafe { stat.assume_init() }.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

/// Kills a child, which nobody has collected yet, and collects it.
pub(crate) fn kill_child(pid: i32) {
    // SAFETY: takes no pointer. The pid is nobody else's before the child is collected.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    collect(pid);
}

/// Collects a child that is about to end.
pub(crate) fn collect(pid: i32) {
    // SAFETY: waitpid(2) is told that nobody wants the status.
    while Errno::result(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }) == Err(Errno::EINTR)
    {
    }
}
