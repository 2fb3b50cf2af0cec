//! What a process is given beside its configuration.

use std::path::{Path, PathBuf};

use runj_spec::Process;

use crate::console;
use crate::error::Error;
use crate::process;

/// What a process is given beside its configuration: a terminal's other side, descriptors, a pid
/// file. By default nothing but the caller's standard streams.
#[derive(Clone, Debug, Default)]
pub struct Io {
    pub(crate) console_socket: Option<PathBuf>,
    pub(crate) relays_terminal: bool,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) preserve_fds: u32,
}

impl Io {
    /// Sends the other side of the terminal, if `process.terminal` asks for one, to whoever
    /// listens at this socket.
    #[must_use]
    pub fn console_socket(mut self, path: Option<PathBuf>) -> Self {
        self.console_socket = path;
        self
    }

    /// Returns the other side of the terminal to the caller, who stays to serve it.
    #[must_use]
    pub fn relays_terminal(mut self, relays: bool) -> Self {
        self.relays_terminal = relays;
        self
    }

    /// Writes the process's pid to this file.
    #[must_use]
    pub fn pid_file(mut self, path: Option<PathBuf>) -> Self {
        self.pid_file = path;
        self
    }

    /// Lets the process have this many descriptors from 3 on.
    #[must_use]
    pub fn preserve_fds(mut self, count: u32) -> Self {
        self.preserve_fds = count;
        self
    }

    /// Whether the caller gets the terminal's other side.
    pub(crate) fn serves_terminal(&self) -> bool {
        self.relays_terminal && self.console_socket.is_none()
    }

    pub(crate) fn socket(&self) -> Option<&Path> {
        self.console_socket.as_deref()
    }

    /// Checks `process`, which `place` says, together with what it is given.
    pub(crate) fn check(&self, process: &Process, place: &str) -> Result<(), Error> {
        process::check(process, place)?;
        process::check_preserved(self.preserve_fds)?;
        console::check(process, place, self.socket(), self.relays_terminal)
    }
}
