//! A runtime and what its verbs share.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use runj_jail::Jail;
use runj_spec::{Bundle, Container, ContainerId, Process};

use crate::error::Error;
use crate::record::Record;
use crate::state;
use crate::status::Status;
use crate::store::{ContainerDirectory, Store};

/// A runtime: all the containers that are recorded below one directory.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) store: Store,
}

/// A process that was started, as a child of the calling process.
#[derive(Debug)]
pub struct Started {
    /// Its pid. The caller collects it with waitpid(2), or leaves that to its own reaper.
    pub pid: i32,
    /// The other side of its terminal, if it has one and no console socket took it.
    pub terminal: Option<OwnedFd>,
}

impl Runtime {
    /// The directory that runj uses unless told otherwise. It is gone after a reboot, as jails
    /// are.
    pub const DEFAULT_ROOT: &str = "/var/run/runj";

    /// A runtime that keeps its state below `root`, which is made when it is needed.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { store: Store::new(root.into()) }
    }

    /// The process that the container was created with, for another one to be modelled on.
    ///
    /// # Errors
    ///
    /// When there is no such container.
    pub fn process(&self, id: &ContainerId) -> Result<Process, Error> {
        let directory = self.store.find(id)?;
        configuration(&directory).and_then(|container| process_of(&container)).map_err(|error| {
            match state::read(&directory) {
                // It is being deleted, which explains what is missing.
                Ok((_, status @ Status::Stopped)) => Error::NotRunning { id: id.clone(), status },
                Err(gone @ Error::NoSuchContainer(_)) => gone,
                _ => error,
            }
        })
    }
}

/// The container's configuration, as it was when the container was created.
pub(crate) fn configuration(directory: &ContainerDirectory) -> Result<Container, Error> {
    Ok(Bundle::load(directory.path())?.container()?)
}

/// The `process` of a configuration; a container without one cannot be created.
pub(crate) fn process_of(container: &Container) -> Result<Process, Error> {
    container.process.clone().ok_or_else(|| Error::Unusable {
        place: "config.json: process".into(),
        value: "nothing".into(),
        reason: "a container needs a process to start".into(),
    })
}

/// The container's jail, if it lives.
pub(crate) fn jail_of(record: &Record) -> Result<Option<Jail>, Error> {
    let Some(jid) = record.jid() else { return Ok(None) };
    let Some(jail) = Jail::by_jid(jid)? else { return Ok(None) };
    Ok(is_jail_of(record, jail).then_some(jail))
}

/// Whether the jail, found by the jid that was recorded, is the container's.
///
/// A jid is not given out again before all others have been, or the host was booted. The name
/// would say less than the root does: whoever manages jails may have changed it.
pub(crate) fn is_jail_of(record: &Record, jail: Jail) -> bool {
    record.is_of_this_boot() && jail.path().is_ok_and(|path| record.jail_path == path)
}
