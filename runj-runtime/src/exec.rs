//! `exec`: one more process in a container.

use std::os::unix::net::UnixStream;

use runj_faults::{Point, at};
use runj_jail::{Jail, ProcessId};
use runj_spec::{ContainerId, Process};

use crate::console::Console;
use crate::error::Error;
use crate::io::Io;
use crate::pid_file::PidFile;
use crate::process;
use crate::record::Record;
use crate::runtime::{Runtime, Started, jail_of};
use crate::state;
use crate::status::Status;
use crate::sys::{self, Gate};

/// The process to execute, and how.
#[derive(Clone, Debug)]
pub struct ExecOptions {
    process: Process,
    place: String,
    io: Io,
}

impl ExecOptions {
    /// Executes `process`; `place` is where it was read, for messages.
    #[must_use]
    pub fn new(process: Process, place: impl Into<String>) -> Self {
        Self { process, place: place.into(), io: Io::default() }
    }

    /// Gives the process that. The pid file is written once its program runs.
    #[must_use]
    pub fn io(mut self, io: Io) -> Self {
        self.io = io;
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
        options.io.check(&options.process, &options.place)?;

        let directory = self.store.find(id)?;
        let (record, status) = state::read(&directory)?;
        let not_running = || Error::NotRunning { id: id.clone(), status };
        if !matches!(status, Status::Created | Status::Running) {
            return Err(not_running());
        }
        let jail = jail_of(&record)?.ok_or_else(not_running)?;
        execute(options, jail, &record).map_err(|error| match jail_of(&record) {
            // It has ended meanwhile, which explains whatever went wrong.
            Ok(None) => Error::NotRunning { id: id.clone(), status: Status::Stopped },
            _ => error,
        })
    }
}

/// Starts the process, and waits until it is its program.
fn execute(options: &ExecOptions, jail: Jail, record: &Record) -> Result<Started, Error> {
    let ExecOptions { process, place, io } = options;
    let console = Console::of(process, io.serves_terminal())?;
    let (theirs, ours): (_, UnixStream) = process::report_pair()?;
    let entry = process::entry(
        process,
        place,
        jail,
        &record.jail_path,
        Gate::Open(theirs),
        &console,
        io.preserve_fds,
    )?;
    let terminal = console.hand_over(io.socket())?;
    let prepared = io.pid_file.as_deref().map(PidFile::prepare).transpose()?;
    let pid = entry.spawn()?;
    let id = match identify(pid) {
        Ok(id) => id,
        Err(error) => {
            sys::kill_child(pid);
            return Err(error);
        }
    };
    // Ours is the only other end now, so its end of file means that the program was executed.
    drop(entry);
    let written = process::outcome(ours, process, id).and_then(|()| match prepared {
        Some(file) => file.write(pid),
        None => Ok(()),
    });
    if let Err(error) = written {
        sys::kill_child(pid);
        return Err(error);
    }
    Ok(Started { pid, terminal })
}

fn identify(pid: i32) -> Result<Option<ProcessId>, Error> {
    at(Point::Identify)?;
    Ok(ProcessId::of(pid)?)
}
