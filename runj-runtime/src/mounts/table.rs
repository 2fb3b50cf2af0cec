//! The kernel's table of mounts, read once for many.

use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;

use crate::sys::{self, MountId, Mounted};

/// What is mounted, oldest first. To read it takes the longer the more is mounted on the host.
#[derive(Debug)]
pub(crate) struct Table {
    mounts: Vec<Mounted>,
}

impl Table {
    pub(crate) fn read() -> Result<Self, Errno> {
        Ok(Self { mounts: sys::mounted()? })
    }

    /// How many file systems are mounted on exactly `path`, which `target` holds open.
    ///
    /// The table is read again when the directory turns out to be in a mount that came since.
    pub(super) fn count_on(&mut self, path: &Path, target: &OwnedFd) -> Result<usize, Errno> {
        let here = sys::mount_of(target)?;
        let knows = |mount: &Mounted| mount.id == here && path.starts_with(&mount.path);
        if !self.mounts.iter().any(knows) {
            *self = Self::read()?;
        }
        Ok(self.mounts.iter().filter(|mount| mount.path == path).count())
    }

    /// Adds a mount that was made on `path`.
    pub(super) fn add(&mut self, id: MountId, path: &Path) {
        self.mounts.push(Mounted { id, path: path.to_owned() });
    }

    /// Undoes the mount that was made on `path`, in `root`, over so many others: the one of that
    /// identity, wherever in the root it is by now, or, if whoever mounted it was killed before the
    /// identity was known, the one in that place.
    ///
    /// An identity is given out again after a time, so it counts only for mounts of the same root.
    pub(crate) fn unmount(
        &self,
        path: &Path,
        covered: usize,
        id: Option<MountId>,
        root: &Path,
    ) -> Result<(), Errno> {
        let mut mounts = self.mounts.iter();
        let ours = match id {
            Some(id) => mounts.find(|mount| mount.id == id && mount.path.starts_with(root)),
            None => mounts.filter(|mount| mount.path == path).nth(covered),
        };
        ours.map_or(Ok(()), sys::unmount)
    }
}
