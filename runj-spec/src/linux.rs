//! What a container may use: `linux.resources`, as far as FreeBSD has something like it.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, c_string, document, integer};
use crate::{Error, LinuxLimit, file};

/// The Linux part of config.json, of which a jail has its limits.
///
/// All else in it is in [`extra`](Self::extra) and ignored, since engines always send it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Linux {
    /// What the container may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<LinuxResources>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a container may use (OCI `linux.resources`), and what `runj update --resources` reads.
///
/// Beside what is here the specification has properties for which FreeBSD has no equivalent. They
/// are in `extra` and not applied: `devices` (a jail's devices are those of its devfs), `cpu.shares`
/// and `cpu.idle` (rctl(8) knows no shares), `cpu.mems`, `cpu.burst` and the `cpu.realtime…`
/// properties, `memory.reservation`, `memory.kernel`, `memory.kernelTCP`, `memory.swappiness`,
/// `memory.disableOOMKiller`, `memory.useHierarchy`, `memory.checkBeforeUpdate`, `blockIO`,
/// `hugepageLimits`, `network`, `rdma` and `unified`. What can be said about I/O on FreeBSD is said
/// by a rule of [`RctlRule`](crate::RctlRule) instead, such as `readbps:throttle=10m`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LinuxResources {
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<LinuxMemory>,
    /// Processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<LinuxCpu>,
    /// Processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<LinuxPids>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How much memory a container may use (OCI `linux.resources.memory`), in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LinuxMemory {
    /// Resident memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LinuxLimit>,
    /// Memory and swap together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<LinuxLimit>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How much of the processors a container may use (OCI `linux.resources.cpu`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LinuxCpu {
    /// The time that it may use in each [`period`](Self::period), in microseconds, by all processors
    /// together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<LinuxLimit>,
    /// In microseconds; 0 stands for the default of 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// The processors that it may run on, such as `0-2,5`; an empty list restricts nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<String>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How many processes a container may have (OCI `linux.resources.pids`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LinuxPids {
    /// So many. On Linux threads count as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LinuxLimit>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Linux {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        fields.has_for_others(&[
            "cgroupsPath",
            "devices",
            "gidMappings",
            "intelRdt",
            "maskedPaths",
            "memoryPolicy",
            "mountLabel",
            "namespaces",
            "netDevices",
            "personality",
            "readonlyPaths",
            "rootfsPropagation",
            "seccomp",
            "sysctl",
            "timeOffsets",
            "uidMappings",
        ]);
        let resources = fields.optional("resources", LinuxResources::decode);
        Ok(Self { resources, extra: fields.rest() })
    }
}

impl LinuxResources {
    /// Parses the description of what a container may use. `name` is what error messages call the
    /// text.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] if the text is not JSON, [`Error::Invalid`] with all that is wrong in it
    /// otherwise.
    pub fn parse(text: &[u8], name: &str) -> Result<Self, Error> {
        document(text, name, Self::decode)
    }

    /// Reads the description from a regular file of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&file::read(path, Self::LIMIT)?, &path.display().to_string())
    }

    /// The most bytes of a description.
    pub const LIMIT: u64 = 1 << 20;

    /// These, with what `newer` gives in place of what is here; the rest stays.
    #[must_use]
    pub fn updated(self, newer: Self) -> Self {
        let (memory, cpu, pids) = (self.memory, self.cpu, self.pids);
        Self {
            memory: both(memory, newer.memory, |old, new| LinuxMemory {
                limit: new.limit.or(old.limit),
                swap: new.swap.or(old.swap),
                extra: later(old.extra, new.extra),
            }),
            cpu: both(cpu, newer.cpu, |old, new| LinuxCpu {
                quota: new.quota.or(old.quota),
                period: new.period.or(old.period),
                cpus: new.cpus.or(old.cpus),
                extra: later(old.extra, new.extra),
            }),
            pids: both(pids, newer.pids, |old, new| LinuxPids {
                limit: new.limit.or(old.limit),
                extra: later(old.extra, new.extra),
            }),
            extra: later(self.extra, newer.extra),
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let others = &["blockIO", "devices", "hugepageLimits", "network", "rdma", "unified"];
        fields.has_for_others(others);
        Ok(Self {
            memory: fields.optional("memory", LinuxMemory::decode),
            cpu: fields.optional("cpu", LinuxCpu::decode),
            pids: fields.optional("pids", LinuxPids::decode),
            extra: fields.rest(),
        })
    }
}

impl LinuxMemory {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        fields.has_for_others(&[
            "checkBeforeUpdate",
            "disableOOMKiller",
            "kernel",
            "kernelTCP",
            "reservation",
            "swappiness",
            "useHierarchy",
        ]);
        Ok(Self {
            limit: fields.optional("limit", LinuxLimit::decode),
            swap: fields.optional("swap", LinuxLimit::decode),
            extra: fields.rest(),
        })
    }
}

impl LinuxCpu {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        fields.has_for_others(&[
            "burst",
            "idle",
            "mems",
            "realtimePeriod",
            "realtimeRuntime",
            "shares",
        ]);
        Ok(Self {
            quota: fields.optional("quota", LinuxLimit::decode),
            period: fields.optional("period", integer(0..=u64::MAX)),
            cpus: fields.optional("cpus", c_string),
            extra: fields.rest(),
        })
    }
}

impl LinuxPids {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let limit = fields.optional("limit", LinuxLimit::decode);
        Ok(Self { limit, extra: fields.rest() })
    }
}

fn both<T>(old: Option<T>, new: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (old, new) {
        (Some(old), Some(new)) => Some(merge(old, new)),
        (old, new) => new.or(old),
    }
}

fn later(mut old: Map<String, Value>, new: Map<String, Value>) -> Map<String, Value> {
    old.extend(new);
    old
}
