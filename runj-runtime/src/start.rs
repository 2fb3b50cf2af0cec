//! `start`: the waiting process becomes the container's program.

use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use runj_spec::ContainerId;

use crate::error::{Error, ProcessError};
use crate::hooks;
use crate::process;
use crate::record::Phase;
use crate::runtime::{Runtime, configuration, process_of};
use crate::state;
use crate::status::Status;
use crate::store::ContainerDirectory;
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
        let mut record = directory.read()?.ok_or_else(missing)?;
        let status = state::status(&record, false)?;
        if status != Status::Created {
            return Err(Error::WrongStatus {
                verb: "start",
                id: id.clone(),
                status,
                expected: "created",
            });
        }
        let configuration = configuration(directory)?;
        let process = process_of(&configuration)?;
        // Written before, since afterwards nobody may be left to write it: from here on the
        // container runs for as long as its process lives.
        record.phase = Phase::Started;
        container.write(&record)?;

        let socket = directory.path().join(ContainerDirectory::START_SOCKET);
        let report = match sys::connect(&socket) {
            Ok(report) => UnixStream::from(report),
            // Nobody listens: the process is dead.
            Err(Errno::ECONNREFUSED | Errno::ENOENT | Errno::ECONNRESET) => {
                return Err(ProcessError::Died.into());
            }
            // It waits as before.
            Err(errno) => {
                record.phase = Phase::Created;
                container.write(&record)?;
                return Err(Error::errno(format!("{socket:?}"))(errno));
            }
        };
        process::outcome(report, &process, record.init())?;

        let poststart = &configuration.hooks.poststart;
        if !poststart.is_empty() {
            let annotations = configuration.annotations.into_iter().collect();
            let state = state::build(&record, state::status(&record, false)?, annotations)?;
            hooks::run_and_warn("poststart", poststart, &state, Some(&mut container));
        }
        Ok(())
    }
}
