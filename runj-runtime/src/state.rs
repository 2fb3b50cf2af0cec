//! `state`: what a container is doing.

use std::collections::HashMap;

use oci_spec::runtime::{ContainerState, State, StateBuilder};
use runj_spec::ContainerId;

use crate::error::Error;
use crate::record::{Phase, Record};
use crate::runtime::{Runtime, configuration};
use crate::status::Status;
use crate::store::ContainerDirectory;

/// The annotation under which the jid is told, for those who manage jails (ocijail's name).
const JID: &str = "org.freebsd.jail.jid";

impl Runtime {
    /// The state of a container, as the OCI runtime specification lays it out.
    ///
    /// Beside the configuration's annotations it has `org.freebsd.jail.jid`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchContainer`], or when the kernel's process table cannot be read.
    pub fn state(&self, id: &ContainerId) -> Result<State, Error> {
        let directory = self.store.find(id)?;
        let (record, status) = read(&directory)?;
        // A container that is only just being created may have no configuration yet.
        let annotations = configuration(&directory)
            .map(|container| container.annotations.into_iter().collect())
            .unwrap_or_default();
        build(&record, status, annotations)
    }
}

/// What is remembered of the container and what it is doing. One without a record is not there
/// (yet, or any more).
pub(crate) fn read(directory: &ContainerDirectory) -> Result<(Record, Status), Error> {
    // Asked first: whoever lets go of the lock has finished the record before.
    let locked = directory.is_locked();
    let record = directory.read()?.ok_or_else(|| Error::NoSuchContainer(directory.id().clone()))?;
    let status = status(directory, &record, locked)?;
    Ok((record, status))
}

/// What the container is doing: what was recorded, corrected by what the kernel says.
pub(crate) fn status(
    directory: &ContainerDirectory,
    record: &Record,
    locked_by_another: bool,
) -> Result<Status, Error> {
    let alive = match record.init() {
        Some(init) => init.is_alive()?,
        None => false,
    };
    Ok(match record.phase {
        // Whoever was creating it has the lock, or died and will never finish.
        Phase::Creating if locked_by_another => Status::Creating,
        Phase::Created if alive && directory.init_waits() => Status::Created,
        Phase::Created if alive => Status::Running,
        Phase::Creating | Phase::Created => Status::Stopped,
    })
}

/// The state as the specification lays it out.
pub(crate) fn build(
    record: &Record,
    status: Status,
    mut annotations: HashMap<String, String>,
) -> Result<State, Error> {
    if let Some(jid) = record.jid() {
        annotations.insert(JID.into(), jid.to_string());
    }
    let mut state = StateBuilder::default()
        .version(record.oci_version.clone())
        .id(record.id.as_ref())
        .status(match status {
            Status::Creating => ContainerState::Creating,
            Status::Created => ContainerState::Created,
            Status::Running => ContainerState::Running,
            Status::Stopped => ContainerState::Stopped,
        })
        .bundle(record.bundle.clone())
        .annotations(annotations);
    if let Some(init) = record.init().filter(|_| status != Status::Stopped) {
        state = state.pid(init.pid());
    }
    state.build().map_err(|error| Error::io("the state")(std::io::Error::other(error)))
}
