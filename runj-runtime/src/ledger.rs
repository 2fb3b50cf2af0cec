//! What was done to the host for a container, written down before it is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use runj_faults::{Point, at};
use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::sys::MountId;

/// One thing done to the host that outlives the process that did it.
///
/// An entry is written before the deed, so undoing it has to do no harm when the deed was never
/// done, or is undone already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "deed")]
pub(crate) enum Deed {
    /// Something was made inside a root to be mounted on.
    MountPoint { root: PathBuf, path: PathBuf, directory: bool },
    /// Another container that had the same root made it, and left it for this one.
    Inherited { root: PathBuf, path: PathBuf, directory: bool },
    /// What is at this path in a root was given another name beside it, to make room for a copy of
    /// a file.
    FileCopy { root: PathBuf, path: PathBuf, kept: PathBuf },
    /// It is this one: the copy of the entry before has been made.
    FileCopied(FileId),
    /// A file system was mounted on this path, where so many were mounted already.
    Mount { path: PathBuf, covered: usize },
    /// It is this one: the mount of the entry before has been made.
    Mounted { id: MountId },
    /// The container may mount by itself; these were mounted below its root before it could.
    OwnMounts { before: Vec<MountId> },
    /// The container's jail was made, under this name that no other one has.
    Jail { name: String },
    /// It is this one.
    JailMade { jid: i32 },
    /// A rule about what that jail may use was added (rctl(8)).
    Rule { jail: String, rule: String },
    /// The network was changed.
    Network(runj_net::Deed),
    /// A hook was started; it leads a process group of its own.
    Hook { pid: i32, start: u64 },
}

/// A file, told from all others of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// The ledger of one container: one JSON object a line, only ever appended to.
///
/// It is not synced to the disk: what it lists is gone after a crash of the host, as the container
/// is. Empty mount points and copies of files are not. Of a copy that was made right before the
/// crash the entry may be lost, and then what it covered keeps the name that it was given.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: File,
}

impl Ledger {
    /// The most bytes that are read: more than the mounts of any config.json come to.
    const LIMIT: u64 = 256 << 20;

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
        let mut last = [b'\n'];
        if let Some(end) = file.metadata()?.len().checked_sub(1) {
            file.read_exact_at(&mut last, end)?;
        }
        if last != [b'\n'] {
            // What is appended to a line that was cut off would be cut off with it.
            let mut text = Vec::new();
            (&file).take(Self::LIMIT).read_to_end(&mut text)?;
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            file.set_len(u64::try_from(whole).unwrap_or(0))?;
        }
        Ok(Self { file })
    }

    /// A ledger that another one keeps, if it is there still. Lines may be appended to it at any
    /// time.
    pub(crate) fn of_another(path: &Path) -> io::Result<Option<Self>> {
        match OpenOptions::new().append(true).open(path) {
            Ok(file) => Ok(Some(Self { file })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn record(&mut self, deed: &Deed) -> io::Result<()> {
        let mut line = serde_json::to_vec(deed)?;
        line.push(b'\n');
        at(Point::Ledger)?;
        // One write, so that a line is there or is not, however many write.
        self.file.write_all(&line)
    }

    /// The deeds, oldest first.
    pub(crate) fn read(path: &Path) -> io::Result<Vec<Deed>> {
        match bounded::read(path, Self::LIMIT) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The deeds in the text of a ledger. A last line that was cut off belongs to a deed that was
    /// not done.
    pub(crate) fn parse(text: &[u8]) -> io::Result<Vec<Deed>> {
        let whole =
            text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        whole.map(|line| serde_json::from_slice(line).map_err(io::Error::from)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_read_back_and_a_torn_line_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger");
        assert_eq!(Ledger::read(&path).unwrap(), []);
        let deeds = [
            Deed::MountPoint { root: "/j".into(), path: "dev".into(), directory: true },
            Deed::Mount { path: "/j/dev".into(), covered: 0 },
            Deed::Jail { name: "j".into() },
        ];
        let mut ledger = Ledger::open(&path).unwrap();
        for deed in &deeds {
            ledger.record(deed).unwrap();
        }
        assert_eq!(Ledger::read(&path).unwrap(), deeds);
        ledger.file.write_all(br#"{"deed":"moun"#).unwrap();
        assert_eq!(Ledger::read(&path).unwrap(), deeds);

        // Nor does it spoil what comes after it.
        let more = Deed::JailMade { jid: 1 };
        Ledger::open(&path).unwrap().record(&more).unwrap();
        assert_eq!(Ledger::read(&path).unwrap(), [deeds.as_slice(), &[more]].concat());
    }
}
