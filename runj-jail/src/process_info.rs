//! What the kernel tells of a process.

use std::time::Duration;

use crate::error::Error;
use crate::process::ProcessId;
use crate::sys;

/// A process as it is at one moment (FreeBSD: `struct kinfo_proc`; Linux: proc(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// Which one it is.
    pub id: ProcessId,
    /// The pid of its parent.
    pub parent: i32,
    /// The effective user.
    pub uid: u32,
    /// The program and its arguments; only the program's name, in brackets, where they cannot be
    /// had.
    pub command: String,
    /// Whether a signal has stopped it.
    pub stopped: bool,
    /// Threads.
    pub threads: u64,
    /// Resident memory, in bytes.
    pub memory: u64,
    /// Address space, in bytes.
    pub virtual_memory: u64,
    /// Time of the processor that its program has used.
    pub user_time: Duration,
    /// The same, used by the kernel on its behalf.
    pub system_time: Duration,
    /// [`user_time`](Self::user_time) of the children that have ended and that it has collected,
    /// with theirs.
    pub children_user_time: Duration,
    /// [`system_time`](Self::system_time) of the same.
    pub children_system_time: Duration,
}

impl ProcessInfo {
    /// What the kernel tells of that process; `None` when it no longer runs.
    ///
    /// # Errors
    ///
    /// When the kernel's process table cannot be read.
    pub fn of(process: ProcessId) -> Result<Option<Self>, Error> {
        Ok(sys::process_info(process.pid())?.filter(|info| info.id == process))
    }
}
