//! A root file system in a directory.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error};
use rustix::fs::{major, minor};

use super::small::Part;
use super::tree::{Entry, FileId, Kind, Tree, relative};
use crate::sys;

/// Reads a part of a directory. What is mounted in it is left out, and so are sockets.
pub(super) fn read(root: &Path, part: Part, tree: &mut Tree) -> Result<(), Error> {
    let device = fs::metadata(root)?.dev();
    let mut walk = Walk { root, part, device, linked: HashMap::new(), tree };
    walk.directory(Path::new(""))
}

struct Walk<'w> {
    root: &'w Path,
    part: Part,
    /// Of the root.
    device: u64,
    /// The files that have more than one name.
    linked: HashMap<u64, FileId>,
    tree: &'w mut Tree,
}

impl Walk<'_> {
    /// The entries of a directory, whose path is relative to the root.
    fn directory(&mut self, path: &Path) -> Result<(), Error> {
        let absolute = self.root.join(path);
        for entry in fs::read_dir(&absolute).with_context(|| format!("{absolute:?}"))? {
            let path = path.join(entry?.file_name());
            relative(&path)?;
            if !self.part.has(&path) {
                continue;
            }
            let absolute = self.root.join(&path);
            let metadata =
                fs::symlink_metadata(&absolute).with_context(|| format!("{absolute:?}"))?;
            let Some(kind) = self.kind(absolute, &metadata)? else { continue };
            let goes_on = matches!(kind, Kind::Directory) && metadata.dev() == self.device;
            let entry = Entry {
                mode: metadata.mode() & 0o7777,
                uid: metadata.uid().into(),
                gid: metadata.gid().into(),
                flags: sys::flags(&metadata),
                kind,
            };
            self.tree.entries.insert(path.clone(), entry);
            if goes_on {
                self.directory(&path)?;
            }
        }
        Ok(())
    }

    fn kind(&mut self, path: PathBuf, metadata: &Metadata) -> Result<Option<Kind>, Error> {
        let kind = metadata.file_type();
        Ok(Some(if kind.is_dir() {
            Kind::Directory
        } else if kind.is_file() {
            Kind::File(self.file(path, metadata))
        } else if kind.is_symlink() {
            Kind::Link(fs::read_link(&path).with_context(|| format!("{path:?}"))?)
        } else if kind.is_fifo() {
            Kind::Fifo
        } else if kind.is_socket() {
            return Ok(None);
        } else {
            let (block, number) = (kind.is_block_device(), metadata.rdev());
            Kind::Device { block, major: major(number), minor: minor(number) }
        }))
    }

    fn file(&mut self, path: PathBuf, metadata: &Metadata) -> FileId {
        let tree = &mut *self.tree;
        let add = || tree.add_file(path, metadata.len());
        match metadata.nlink() {
            1 => add(),
            _ => *self.linked.entry(metadata.ino()).or_insert_with(add),
        }
    }
}
