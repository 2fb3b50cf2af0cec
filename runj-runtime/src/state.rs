//! `state`: what a container is doing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runj_jail::ProcessId;
use runj_spec::ContainerId;
use serde::Serialize;

use crate::error::Error;
use crate::record::{Phase, Record};
use crate::runtime::Runtime;
use crate::status::Status;
use crate::store::ContainerDirectory;

/// The annotation under which the jid is told, for those who manage jails (ocijail's name).
const JID: &str = "org.freebsd.jail.jid";

/// The state of a container, as it is printed and as hooks get it (OCI runtime specification,
/// "State"). The status `paused` is runc's; the specification lets a runtime have more of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct State {
    /// The version of the specification that the container complies with.
    pub oci_version: String,
    /// The container's id.
    pub id: ContainerId,
    /// What it is doing.
    pub status: Status,
    /// The pid of its process, unless it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// Its bundle, absolute.
    pub bundle: PathBuf,
    /// What others noted about it, and what runj has to tell.
    pub annotations: BTreeMap<String, String>,
}

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
        Ok(build(&record, status))
    }
}

/// What is remembered of the container and what it is doing. One without a record is not there
/// (yet, or any more).
pub(crate) fn read(directory: &ContainerDirectory) -> Result<(Record, Status), Error> {
    // Asked first: whoever lets go of the lock has finished the record before.
    let locked = directory.is_locked()?;
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
        Phase::Created if alive && record.paused => Status::Paused,
        Phase::Created if alive && directory.init_waits()? => Status::Created,
        // Should whoever starts it die, the process goes on all the same.
        Phase::Created if alive && locked_by_another && directory.starting().exists() => {
            Status::Created
        }
        Phase::Created if alive => Status::Running,
        Phase::Creating | Phase::Created => Status::Stopped,
    })
}

/// The state as the specification lays it out.
pub(crate) fn build(record: &Record, status: Status) -> State {
    let mut annotations = record.annotations.clone();
    if let Some(jid) = record.jid() {
        annotations.insert(JID.into(), jid.to_string());
    }
    let init = record.init().filter(|_| status != Status::Stopped);
    State {
        oci_version: record.oci_version.clone(),
        id: record.id.clone(),
        status,
        pid: init.map(ProcessId::pid),
        bundle: record.bundle.clone(),
        annotations,
    }
}
