//! `list`: all containers.

use std::path::PathBuf;
use std::time::SystemTime;

use runj_jail::ProcessId;
use runj_spec::ContainerId;

use crate::error::{Error, whole};
use crate::runtime::Runtime;
use crate::state;
use crate::status::Status;

/// One container of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: ContainerId,
    /// The version of the OCI specification that its configuration follows.
    pub oci_version: String,
    /// What it is doing.
    pub status: Status,
    /// The pid of its process, unless it has ended.
    pub pid: Option<i32>,
    /// The jid of its jail.
    pub jid: Option<i32>,
    /// Its bundle.
    pub bundle: PathBuf,
    /// Its root on the host.
    pub rootfs: PathBuf,
    /// When it was created.
    pub created: SystemTime,
}

impl Runtime {
    /// All containers, sorted by id.
    ///
    /// # Errors
    ///
    /// When the directory or a file in it cannot be read. A container whose state cannot be
    /// understood is left out, with a warning in the log.
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut list = Vec::new();
        for id in self.store.list()? {
            match self.listed(&id) {
                Ok(listed) => list.push(listed),
                // Deleted while we looked, or not created yet.
                Err(Error::NoSuchContainer(_)) => {}
                Err(error @ (Error::BadState { .. } | Error::UnusableInput { .. })) => {
                    tracing::warn!("{}", whole(&error));
                }
                // Whoever believed a list that lacks some would take them for gone.
                Err(error) => return Err(error),
            }
        }
        Ok(list)
    }

    fn listed(&self, id: &ContainerId) -> Result<Listed, Error> {
        let directory = self.store.find(id)?;
        let (record, status) = state::read(&directory)?;
        let init = record.init().filter(|_| status != Status::Stopped);
        Ok(Listed {
            id: id.clone(),
            status,
            pid: init.map(ProcessId::pid),
            jid: record.jid,
            oci_version: record.oci_version,
            bundle: record.bundle,
            rootfs: record.root,
            created: record.created,
        })
    }
}
