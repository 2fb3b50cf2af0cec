//! `start`: the waiting process becomes the container's program.

use std::fs;

use nix::errno::Errno;
use runj_faults::{Point, at};
use runj_spec::{ContainerId, Hooks};

use crate::delete::destroy;
use crate::error::{Error, ProcessError, whole};
use crate::hooks::run_all;
use crate::process;
use crate::record::Record;
use crate::runtime::{Runtime, configuration, process_of};
use crate::state;
use crate::status::Status;
use crate::store::Locked;
use crate::sys::{self, Report};

impl Runtime {
    /// Starts the program of a created container. It has been executed when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::WrongStatus`] for a container that is not created; [`Error::Process`] when the
    /// program cannot be executed, and the container is stopped then; [`Error::Hook`] when a hook
    /// has failed, and the container is gone then, as the OCI runtime specification wants it
    /// ("Lifecycle").
    pub fn start(&self, id: &ContainerId) -> Result<(), Error> {
        let mut container = self.store.find(id)?.lock()?;
        let directory = container.directory().clone();
        let directory = &directory;
        let missing = || Error::NoSuchContainer(id.clone());
        let record = directory.read()?.ok_or_else(missing)?;
        let wrong = |status| Error::WrongStatus {
            verb: "start",
            id: id.clone(),
            status,
            expected: "created",
        };
        let status = state::status(directory, &record, false)?;
        if status != Status::Created {
            return Err(wrong(status));
        }
        let hooks =
            if record.later_hooks { configuration(directory)?.hooks } else { Hooks::default() };
        let start_hooks = &hooks.start_container;
        if !start_hooks.is_empty() {
            container.note_starting()?;
        }
        let socket = directory.start_socket();
        at(Point::Connect)?;
        let outcome = match sys::connect(&socket) {
            Ok(line) => {
                process::report(line.into(), record.init(), start_hooks).and_then(|report| {
                    if matches!(report, Report::Ready) {
                        return Ok(());
                    }
                    let process = process_of(&configuration(directory)?)?;
                    process::understood(&report, &process, start_hooks)
                })
            }
            // Nobody listens.
            Err(Errno::ECONNREFUSED | Errno::ENOENT | Errno::ECONNRESET) => {
                Err(ProcessError::Died.into())
            }
            Err(errno) => Err(Error::errno(format!("{socket:?}"))(errno)),
        };
        if !start_hooks.is_empty() {
            let file = directory.starting();
            at(Point::Started)?;
            fs::remove_file(&file).map_err(Error::io(format!("{file:?}")))?;
        }
        match outcome {
            // Another `start` was killed once it had come to the socket, a moment ago.
            Err(Error::Process(ProcessError::Died))
                if record.init().is_some_and(|init| init.is_alive().unwrap_or(false)) =>
            {
                return Err(wrong(Status::Running));
            }
            Err(error @ Error::Hook { .. }) => return Err(give_up(container, &record, error)),
            outcome => outcome?,
        }

        let poststart = &hooks.poststart;
        if !poststart.is_empty() {
            let status = state::status(directory, &record, false)?;
            let state = state::build(&record, status);
            if let Err(error) = run_all("poststart", poststart, None, &state, &mut container) {
                return Err(give_up(container, &record, error));
            }
        }
        Ok(())
    }
}

/// Destroys a container of which a hook has failed. The error that matters is why.
fn give_up(container: Locked, record: &Record, error: Error) -> Error {
    if let Err(left) = destroy(container, record) {
        tracing::warn!("destroying {}: {}", record.id, whole(&left));
    }
    error
}
