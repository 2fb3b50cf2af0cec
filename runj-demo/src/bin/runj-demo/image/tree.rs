//! A root file system, wherever it is from.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Error, bail};

/// A root file system: what is at each path. Paths are relative, and what is above comes first.
pub(super) struct Tree {
    pub(super) entries: BTreeMap<PathBuf, Entry>,
    files: Vec<Content>,
    /// What is in those files that have no place of their own.
    spool: File,
}

/// What is at a path.
#[derive(Clone)]
pub(super) struct Entry {
    /// The permission bits, with setuid and its like.
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// The file flags as chflags(1) has them, with commas; may be empty.
    pub(super) flags: String,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    Directory,
    /// The same file may have several paths.
    File(FileId),
    /// A symbolic link to this.
    Link(PathBuf),
    Fifo,
    Device {
        block: bool,
        major: u32,
        minor: u32,
    },
}

/// Which of a tree's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileId(usize);

/// Where the bytes of a file are.
enum Content {
    Spooled { offset: u64, length: u64 },
    OnDisk { path: PathBuf, length: u64 },
}

impl Tree {
    /// An empty one, that keeps the bytes of files in `spool`.
    pub(super) fn new(spool: File) -> Self {
        Self { entries: BTreeMap::new(), files: Vec::new(), spool }
    }

    /// Adds a file whose bytes are in an archive, which says how many there are: they are kept.
    pub(super) fn add_bytes(&mut self, bytes: &mut impl Read, length: u64) -> io::Result<FileId> {
        let offset = self.spool.seek(SeekFrom::End(0))?;
        if io::copy(bytes, &mut self.spool)? != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(self.add_content(Content::Spooled { offset, length }))
    }

    /// Adds a file that is on a disk and stays there.
    pub(super) fn add_file(&mut self, path: PathBuf, length: u64) -> FileId {
        self.add_content(Content::OnDisk { path, length })
    }

    fn add_content(&mut self, content: Content) -> FileId {
        self.files.push(content);
        FileId(self.files.len() - 1)
    }

    /// How many bytes a file has, and the bytes.
    pub(super) fn open(&self, id: FileId) -> Result<(u64, impl Read + use<>), Error> {
        let content = self.files.get(id.0).context("no such file in the tree")?;
        let (mut file, offset, length) = match content {
            Content::Spooled { offset, length } => (self.spool.try_clone()?, *offset, *length),
            Content::OnDisk { path, length } => {
                (File::open(path).with_context(|| format!("{path:?}"))?, 0, *length)
            }
        };
        file.seek(SeekFrom::Start(offset))?;
        Ok((length, file.take(length)))
    }

    /// The file at a path, if there is one.
    pub(super) fn file(&self, path: &Path) -> Option<FileId> {
        match self.entries.get(path)?.kind {
            Kind::File(id) => Some(id),
            _ => None,
        }
    }
}

impl Entry {
    /// A directory of root's.
    pub(super) fn directory(mode: u32) -> Self {
        Self { mode, uid: 0, gid: 0, flags: String::new(), kind: Kind::Directory }
    }
}

/// A path in a tree: relative, without `.`; nothing if it is the root's own.
pub(super) fn relative(path: &Path) -> Result<Option<PathBuf>, Error> {
    let mut relative = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) if name.as_encoded_bytes().starts_with(b".wh.") => {
                bail!("{path:?}: in an image, such a name takes a file away");
            }
            Component::Normal(name) => relative.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => bail!("{path:?} leads out of the root"),
        }
    }
    Ok(Some(relative).filter(|relative| !relative.as_os_str().is_empty()))
}
