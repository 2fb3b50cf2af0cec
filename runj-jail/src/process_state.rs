//! What a process is doing.

use crate::process::ProcessId;

/// Whether a process runs at one moment. The kernel knows it of itself: nothing that belongs to the
/// process, and that it may have changed, is read for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessState {
    /// Which one it is.
    pub id: ProcessId,
    /// The name of its program.
    pub name: String,
    /// Whether it runs.
    pub run: RunState,
}

/// Whether a process runs (FreeBSD: `ki_stat`, sys/user.h; Linux: proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// A signal has stopped it.
    Stopped,
    /// It waits in the kernel, where no signal reaches it.
    Blocked,
    /// It runs, or would on any signal.
    Runnable,
}
