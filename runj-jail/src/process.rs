//! Processes, known by more than their number.

use std::time::Duration;

use crate::error::Error;
use crate::signal::Signal;
use crate::sys;

/// One process, told from any later one that gets the same pid by the time when it started.
///
/// A process that has exited and waits for its parent to collect it (a zombie) does not count as
/// alive anywhere in this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId {
    pid: i32,
    start: u64,
}

impl ProcessId {
    /// The process that has this pid now; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the kernel's process table cannot be read.
    pub fn of(pid: i32) -> Result<Option<Self>, Error> {
        Ok(sys::process_start(pid)?.map(|start| Self { pid, start }))
    }

    /// A process as it was recorded earlier, by the two numbers of [`pid`](Self::pid) and
    /// [`start`](Self::start).
    #[must_use]
    pub fn recorded(pid: i32, start: u64) -> Self {
        Self { pid, start }
    }

    /// The pid, as the host numbers processes.
    #[must_use]
    pub fn pid(self) -> i32 {
        self.pid
    }

    /// When it started, in a unit of the host's since its boot: microseconds on FreeBSD
    /// (`ki_start` less `kern.boottime`), clock ticks on Linux. Meant to be compared, no more.
    #[must_use]
    pub fn start(self) -> u64 {
        self.start
    }

    /// Whether the process still runs.
    ///
    /// # Errors
    ///
    /// When the kernel's process table cannot be read.
    pub fn is_alive(self) -> Result<bool, Error> {
        Ok(sys::process_start(self.pid)? == Some(self.start))
    }

    /// Sends it a signal (kill(2)); `false` when it no longer runs.
    ///
    /// # Errors
    ///
    /// When the kernel refuses, for instance with `EPERM`.
    pub fn signal(self, signal: Signal) -> Result<bool, Error> {
        sys::process_signal(self, signal)
    }

    /// Waits until it no longer runs; `false` when it still does after `timeout`.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to watch it.
    pub fn wait(self, timeout: Duration) -> Result<bool, Error> {
        sys::process_wait(self, timeout)
    }
}
