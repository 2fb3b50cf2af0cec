//! Taking mounts away, by the kernel's table of mounts where there is no shorter way.

use std::cell::OnceCell;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::sys::{self, MountId, Mounted};

/// What is mounted, oldest first. It is read when it is needed first: that takes the longer the more
/// is mounted on the host.
#[derive(Debug, Default)]
pub(crate) struct Table {
    mounts: OnceCell<Vec<Mounted>>,
}

impl Table {
    /// Undoes the mount that was made on `path`, in `root`: the one of that identity, wherever in the
    /// root it is by now, or, if whoever mounted it was killed before the identity was known, the one
    /// that was made there over `over`.
    ///
    /// An identity is given out again after a time, so it counts only for mounts of the same root.
    pub(crate) fn unmount(
        &self,
        path: &Path,
        over: MountId,
        id: Option<MountId>,
        root: &Path,
    ) -> Result<(), Errno> {
        if let Some(id) = id.filter(|id| path.starts_with(root) && is_there(*id, path)) {
            return sys::unmount(&Mounted { id, path: path.to_owned() });
        }
        made(self.read()?, path, over, id, root).map_or(Ok(()), sys::unmount)
    }

    fn read(&self) -> Result<&[Mounted], Errno> {
        if let Some(mounts) = self.mounts.get() {
            return Ok(mounts);
        }
        let mounts = sys::mounted()?;
        Ok(self.mounts.get_or_init(|| mounts))
    }
}

/// Whether the mount of that identity is what is seen on `path`. Where that cannot be told, it is not.
fn is_there(id: MountId, path: &Path) -> bool {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    // Closed again before anything is unmounted, which it would keep busy.
    open(path, flags, Mode::empty())
        .is_ok_and(|fd| sys::mount_of(&fd) == Ok(id) && sys::is_mounted_on(&fd, path) == Ok(true))
}

/// The mount that was made, if it was made and is still there.
fn made<'a>(
    mounts: &'a [Mounted],
    path: &Path,
    over: MountId,
    id: Option<MountId>,
    root: &Path,
) -> Option<&'a Mounted> {
    match id {
        Some(id) => mounts.iter().find(|mount| mount.id == id && mount.path.starts_with(root)),
        // What else is on that path was there before, and either is what we mounted over, or is older
        // than that and hidden by it.
        None => {
            let since = mounts.iter().skip_while(|mount| mount.id != over).skip(1);
            { since }.find(|mount| mount.path == path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_whose_identity_is_not_known_is_told_from_those_before_it() {
        let id = |id: u64| serde_json::from_value::<MountId>(id.into()).unwrap();
        let mount = |number, path: &str| Mounted { id: id(number), path: path.into() };
        // A file system on /j hides the one on /j/dev that came before it.
        let before = [mount(9, "/"), mount(4, "/j/dev"), mount(7, "/j")];
        let path = Path::new("/j/dev");
        let found = |mounts: &[Mounted], over| {
            made(mounts, path, id(over), None, Path::new("/j")).map(|mount| mount.id)
        };
        assert_eq!(found(&before, 7), None);
        let ours = [before.as_slice(), &[mount(5, "/j/dev")]].concat();
        assert_eq!(found(&ours, 7), Some(id(5)));
        // One that was made over ours, and the one that ours was made over.
        let more = [ours.as_slice(), &[mount(3, "/j/dev")]].concat();
        assert_eq!(found(&more, 7), Some(id(5)));
        assert_eq!(found(&more, 5), Some(id(3)));
        assert_eq!(found(&more, 3), None);
        // What it was made over has been taken away, and it with that.
        assert_eq!(found(&more, 8), None);
    }
}
