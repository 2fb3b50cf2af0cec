//! `exec`: one more process in a container.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use runj_jail::{ProcessId, Signal};
use runj_spec::{ContainerId, Process};

use crate::console::{self, Console};
use crate::error::Error;
use crate::pid_file::PidFile;
use crate::process;
use crate::runtime::{Runtime, Started, jail_of};
use crate::state;
use crate::status::Status;
use crate::sys::{self, Gate};

/// The process to execute, and how.
#[derive(Clone, Debug)]
pub struct ExecOptions {
    process: Process,
    place: String,
    console_socket: Option<PathBuf>,
    relays_terminal: bool,
    pid_file: Option<PathBuf>,
    preserve_fds: u32,
}

impl ExecOptions {
    /// Executes `process`; `place` is where it was read, for messages.
    #[must_use]
    pub fn new(process: Process, place: impl Into<String>) -> Self {
        Self {
            process,
            place: place.into(),
            console_socket: None,
            relays_terminal: false,
            pid_file: None,
            preserve_fds: 0,
        }
    }

    /// See [`CreateOptions::console_socket`](crate::CreateOptions::console_socket).
    #[must_use]
    pub fn console_socket(mut self, path: Option<PathBuf>) -> Self {
        self.console_socket = path;
        self
    }

    /// See [`CreateOptions::relays_terminal`](crate::CreateOptions::relays_terminal).
    #[must_use]
    pub fn relays_terminal(mut self, relays: bool) -> Self {
        self.relays_terminal = relays;
        self
    }

    /// Writes the process's pid to this file once its program runs.
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
}

impl Runtime {
    /// Executes one more process in a container that is created or runs. Its program has been
    /// executed when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] for a stopped container, and [`Error::Process`] when the program
    /// cannot be executed.
    pub fn exec(&self, id: &ContainerId, options: &ExecOptions) -> Result<Started, Error> {
        let ExecOptions { process, place, .. } = options;
        process::check(process, place)?;
        process::check_preserved(options.preserve_fds)?;
        let socket = options.console_socket.as_deref();
        console::check(process, place, socket, options.relays_terminal)?;

        let directory = self.store.find(id)?;
        let (record, status) = state::read(&directory)?;
        let not_running = || Error::NotRunning { id: id.clone(), status };
        if !matches!(status, Status::Created | Status::Running) {
            return Err(not_running());
        }
        let jail = jail_of(&record)?.ok_or_else(not_running)?;

        let console = Console::of(process)?;
        let (theirs, ours): (_, UnixStream) = process::report_pair()?;
        let entry = process::entry(
            process,
            place,
            jail,
            Gate::Open(theirs),
            &console,
            options.preserve_fds,
        )?;
        let terminal = console.hand_over(socket)?;
        let prepared = options.pid_file.as_deref().map(PidFile::prepare).transpose()?;
        let pid = entry.spawn()?;
        let id = ProcessId::of(pid)?;
        // Ours is the only other end now, so its end of file means that the program was executed.
        drop(entry);
        let written = process::outcome(ours, process, id).and_then(|()| match prepared {
            Some(file) => file.write(pid),
            None => Ok(()),
        });
        if let Err(error) = written {
            if let Some(id) = id {
                id.signal(Signal::KILL)?;
            }
            sys::collect(pid);
            return Err(error);
        }
        Ok(Started { pid, terminal })
    }
}
