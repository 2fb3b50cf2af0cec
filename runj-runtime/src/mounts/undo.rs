//! Undoing mounts, by their identity.

use std::path::Path;

use nix::errno::Errno;

use crate::sys::{self, MountId, Mounted};

/// Undoes the mount that was made on `path`, in `root`, over so many others: the one of that
/// identity, wherever in the root it is by now, or, if whoever mounted it was killed before the
/// identity was known, the one in that place.
///
/// An identity is given out again after a time, so it counts only for mounts of the same root.
pub(crate) fn unmount(
    path: &Path,
    covered: usize,
    id: Option<MountId>,
    root: &Path,
) -> Result<(), Errno> {
    let mut mounted = sys::mounted()?.into_iter();
    let ours = match id {
        Some(id) => mounted.find(|mount| mount.id == id && mount.path.starts_with(root)),
        None => mounted.filter(|mount| mount.path == path).nth(covered),
    };
    ours.map_or(Ok(()), |mount| sys::unmount(&mount))
}

/// What is mounted below `root`, its own mount not included.
pub(crate) fn below(root: &Path) -> Result<Vec<Mounted>, Errno> {
    let mut mounted = sys::mounted()?;
    mounted.retain(|mount| mount.path != root && mount.path.starts_with(root));
    Ok(mounted)
}

/// Undoes what the container mounted by itself: what is mounted below its root and is not in
/// `before`, the newest first.
pub(crate) fn unmount_own(root: &Path, before: &[MountId]) -> Result<(), Errno> {
    let own = below(root)?;
    own.iter().rev().filter(|mount| !before.contains(&mount.id)).try_for_each(sys::unmount)
}
