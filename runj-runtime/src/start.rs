//! `start`: the waiting process becomes the container's program.

use nix::errno::Errno;
use runj_spec::ContainerId;

use crate::error::{Error, ProcessError};
use crate::hooks;
use crate::process;
use crate::runtime::{Runtime, configuration, process_of};
use crate::state;
use crate::status::Status;
use crate::sys;

impl Runtime {
    /// Starts the program of a created container. It has been executed when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::WrongStatus`] for a container that is not created, and [`Error::Process`] when the
    /// program cannot be executed; the container is stopped then.
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
        let configuration = configuration(directory)?;
        let process = process_of(&configuration)?;

        let socket = directory.start_socket();
        let outcome = match sys::connect(&socket) {
            Ok(report) => process::outcome(report.into(), &process, record.init()),
            // Nobody listens.
            Err(Errno::ECONNREFUSED | Errno::ENOENT | Errno::ECONNRESET) => {
                Err(ProcessError::Died.into())
            }
            Err(errno) => Err(Error::errno(format!("{socket:?}"))(errno)),
        };
        match outcome {
            // Another `start` was killed once it had come to the socket, a moment ago.
            Err(Error::Process(ProcessError::Died))
                if record.init().is_some_and(|init| init.is_alive().unwrap_or(false)) =>
            {
                return Err(wrong(Status::Running));
            }
            outcome => outcome?,
        }

        let poststart = &configuration.hooks.poststart;
        if !poststart.is_empty() {
            let annotations = configuration.annotations.into_iter().collect();
            let state =
                state::build(&record, state::status(directory, &record, false)?, annotations)?;
            hooks::run_and_warn("poststart", poststart, &state, Some(&mut container));
        }
        Ok(())
    }
}
