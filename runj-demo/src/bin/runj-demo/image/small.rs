//! The part of a base system that is enough for a shell: /rescue (rescue(8)), whose programs are
//! one static program under many names, and what such programs read in /etc.

use std::path::{Path, PathBuf};

use anyhow::{Error, bail};

use super::tree::{Entry, Kind, Tree};

/// What of a root goes into the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Small,
}

/// The files of /etc: who is who, and the words of the network.
const ETC: [&str; 15] = [
    "group",
    "host.conf",
    "hosts",
    "login.conf",
    "login.conf.db",
    "master.passwd",
    "networks",
    "nsswitch.conf",
    "passwd",
    "protocols",
    "pwd.db",
    "services",
    "shells",
    "spwd.db",
    "termcap.small",
];

/// The directories that are there in any case, and their modes.
const DIRECTORIES: [(&str, u32); 10] = [
    ("dev", 0o555),
    ("etc", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("rescue", 0o755),
    ("root", 0o750),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/run", 0o755),
    ("var/tmp", 0o1777),
];

/// Where the programs are looked for.
const PROGRAMS: [&str; 2] = ["bin", "sbin"];

impl Part {
    /// Whether it has what is at a path.
    pub(super) fn has(self, path: &Path) -> bool {
        let named = || match path.strip_prefix("etc") {
            Ok(file) => ETC.iter().any(|name| Path::new(name) == file),
            Err(_) => path.starts_with("rescue"),
        };
        self == Self::Whole
            || DIRECTORIES.iter().any(|(directory, _)| Path::new(directory) == path)
            || named()
    }

    /// Adds what a root lacks for being this part of one.
    pub(super) fn complete(self, tree: &mut Tree) -> Result<(), Error> {
        if self == Self::Whole {
            return Ok(());
        }
        if tree.file(Path::new("rescue/sh")).is_none() {
            bail!("--small: the root has no /rescue/sh");
        }
        for (path, mode) in DIRECTORIES {
            tree.entries.entry(path.into()).or_insert_with(|| Entry::directory(mode));
        }
        for path in PROGRAMS {
            let kind = Kind::Link(PathBuf::from("rescue"));
            let link = Entry { kind, ..Entry::directory(0o755) };
            tree.entries.insert(path.into(), link);
        }
        Ok(())
    }
}
