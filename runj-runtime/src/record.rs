//! What runj remembers of a container between two commands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use runj_jail::{Jid, ProcessId};
use runj_spec::ContainerId;
use serde::{Deserialize, Serialize};

use crate::{rfc3339, sys};

/// The content of `state.json`. The kernel is asked before any of it is believed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The layout of this file.
    pub(crate) version: u32,
    pub(crate) id: ContainerId,
    pub(crate) oci_version: String,
    /// The bundle, absolute.
    pub(crate) bundle: PathBuf,
    #[serde(with = "rfc3339")]
    pub(crate) created: SystemTime,
    pub(crate) phase: Phase,
    /// `pause` has stopped its processes, and `resume` has not come since.
    #[serde(default)]
    pub(crate) paused: bool,
    /// The annotations of its configuration.
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Whether its configuration has hooks for later than create. Only then it is read again.
    #[serde(default)]
    pub(crate) later_hooks: bool,
    /// The container's root on the host, absolute and free of links.
    pub(crate) root: PathBuf,
    /// The directory that the jail has as its root: `root` or a read-only view of it.
    pub(crate) jail_path: PathBuf,
    pub(crate) jail_name: String,
    /// Which boot of the host the jid and the process belong to.
    pub(crate) boot: String,
    /// Unknown until the kernel has made the jail.
    pub(crate) jid: Option<i32>,
    pub(crate) init: Option<Init>,
}

/// How far the container has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    Creating,
    /// Its process waits for `start`, or has gone on: it removes the socket then.
    Created,
}

/// The container's process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Init {
    pid: i32,
    start: u64,
}

impl Record {
    /// The version that this runj writes and reads.
    pub(crate) const VERSION: u32 = 1;

    /// The most bytes of the file: its longest texts are annotations, of a config.json that has
    /// at most 4 MiB.
    pub(crate) const LIMIT: u64 = 8 << 20;

    pub(crate) fn jid(&self) -> Option<Jid> {
        self.jid.and_then(|jid| Jid::try_from(jid).ok())
    }

    /// The container's process; there is none any more when the host has been booted since.
    pub(crate) fn init(&self) -> Option<ProcessId> {
        let init = self.init.filter(|_| self.is_of_this_boot())?;
        Some(ProcessId::recorded(init.pid, init.start))
    }

    /// Whether the host has not been booted since this was written.
    pub(crate) fn is_of_this_boot(&self) -> bool {
        self.boot == sys::boot_id()
    }
}

impl From<ProcessId> for Init {
    fn from(process: ProcessId) -> Self {
        Self { pid: process.pid(), start: process.start() }
    }
}
