//! Bundles, with the same root, process and number of mounts for all contenders.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::contender::Dialect;

/// The container's program, which is the floor's file: static, and small.
pub(crate) const PROGRAM: &str = "/bin/floor";

/// What a container's program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It ends at once.
    Exits,
    /// It waits until it is killed.
    Waits,
}

impl Life {
    /// The program's argument.
    pub(crate) fn argument(self) -> &'static str {
        match self {
            Self::Exits => "exit",
            Self::Waits => "wait",
        }
    }
}

/// The place of all bundles.
#[derive(Debug)]
pub(crate) struct Bundles {
    directory: PathBuf,
}

impl Bundles {
    /// Makes the place.
    pub(crate) fn new(directory: &Path, program: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        fs::copy(program, directory.join("program"))
            .with_context(|| format!("{}", program.display()))?;
        let bundles = Self { directory: directory.to_owned() };
        // For exec.
        fs::write(bundles.process(), process(Life::Exits).to_string())?;
        Ok(bundles)
    }

    /// The process that `exec` is to execute, as config.json has it.
    pub(crate) fn process(&self) -> PathBuf {
        self.directory.join("process.json")
    }

    /// A bundle of its own for that container, or the one that it had.
    pub(crate) fn bundle(&self, dialect: Dialect, life: Life, id: &str) -> Result<PathBuf> {
        let bundle = self.directory.join(format!("{dialect:?}-{id}-{}", life.argument()));
        if bundle.exists() {
            return Ok(bundle);
        }
        let root = bundle.join("rootfs");
        for directory in ["bin", "dev", "proc", "tmp"] {
            fs::create_dir_all(root.join(directory))?;
        }
        fs::hard_link(self.directory.join("program"), root.join(&PROGRAM[1..]))?;
        let mut config = json!({
            "ociVersion": "1.0.2",
            "root": { "path": "rootfs" },
            "process": process(life),
            "mounts": mounts(dialect),
        });
        if dialect == Dialect::Linux {
            let namespaces = ["pid", "uts", "ipc", "mount"].map(|kind| json!({ "type": kind }));
            config["linux"] = json!({ "namespaces": namespaces, "seccomp": seccomp() });
        }
        fs::write(bundle.join("config.json"), config.to_string())?;
        Ok(bundle)
    }
}

fn process(life: Life) -> Value {
    json!({
        "args": [PROGRAM, life.argument()],
        "env": ["PATH=/bin"],
        "cwd": "/",
        "user": { "uid": 0, "gid": 0 },
    })
}

/// Three mounts: devices, what belongs to a process, and a place for files.
fn mounts(dialect: Dialect) -> Value {
    let mount = |kind: &str, destination: &str| json!({ "type": kind, "source": kind, "destination": destination });
    match dialect {
        Dialect::Linux => {
            json!([mount("tmpfs", "/dev"), mount("proc", "/proc"), mount("tmpfs", "/tmp")])
        }
        _ if cfg!(target_os = "linux") => {
            json!([mount("devfs", "/dev"), mount("procfs", "/proc"), mount("tmpfs", "/tmp")])
        }
        _ => json!([mount("devfs", "/dev"), mount("fdescfs", "/dev/fd"), mount("tmpfs", "/tmp")]),
    }
}

/// As little as a jail without IPv4 refuses.
fn seccomp() -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{
            "names": ["socket"],
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": 93,
            "args": [{ "index": 0, "value": 2, "op": "SCMP_CMP_EQ" }],
        }],
    })
}
