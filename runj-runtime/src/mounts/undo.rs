//! Undoing what a container has mounted by itself.

use std::path::Path;

use nix::errno::Errno;
use runj_faults::{Point, at};

use crate::ledger::Deed;
use crate::sys::{self, MountId, Mounted};

/// What is mounted below `root`, its own mount not included.
pub(crate) fn below(root: &Path) -> Result<Vec<Mounted>, Errno> {
    let mut mounted = sys::mounted()?;
    mounted.retain(|mount| mount.path != root && mount.path.starts_with(root));
    Ok(mounted)
}

/// Undoes what the container mounted by itself: what is mounted below its root, is not in `before`
/// and was not made for another container, which `others` are the deeds of. The newest goes first.
pub(crate) fn unmount_own(
    root: &Path,
    before: &[MountId],
    others: &[Vec<Deed>],
) -> Result<(), Errno> {
    let own = below(root)?;
    let of_others = |mount: &Mounted| others.iter().any(|deeds| is_of(deeds, mount));
    for mount in own.iter().rev() {
        if !before.contains(&mount.id) && !of_others(mount) {
            at(Point::UnmountOwn)?;
            sys::unmount(mount)?;
        }
    }
    Ok(())
}

/// Whether it is a mount that the deeds tell of. One whose identity is not known yet is the one on
/// its path.
fn is_of(deeds: &[Deed], mount: &Mounted) -> bool {
    deeds.iter().enumerate().any(|(index, deed)| match (deed, deeds.get(index + 1)) {
        (Deed::Mount { .. }, Some(Deed::Mounted { id })) => mount.id == *id,
        (Deed::Mount { path, .. }, _) => mount.path == *path,
        _ => false,
    })
}
