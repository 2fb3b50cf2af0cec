//! A copy of a file in the place of a mount of it.
//!
//! Not every kernel of FreeBSD can mount a nullfs on a file: 13.2 panics
//! (`vn_path_to_global_path_hardlink`, sys/kern/vfs_cache.c, uses a length that nobody has set). So
//! the container gets a copy. What is in its place is kept beside it under a name of ours, and put
//! back at the end.

use std::ffi::OsStr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, renameat};
use nix::sys::stat::{Mode, fstat, fstatat};

use super::copy_up;
use super::file_system::FileSystem;
use crate::beneath::{self, Found};
use crate::error::whole;
use crate::ledger::Deed;
use crate::store::Locked;

/// Puts a copy at `path` in `root`, where there is a file. An error is the reason in words.
pub(super) fn put(
    file_system: &FileSystem,
    root: &Path,
    path: &Path,
    container: &mut Locked,
) -> Result<(), String> {
    let words = |errno: Errno| errno.desc().to_owned();
    let source = beneath::open_file(AT_FDCWD, file_system.from.as_os_str()).map_err(words)?;
    let mut mode = copy_up::mode(&fstat(&source).map_err(words)?);
    if file_system.attributes.nosuid {
        mode.remove(Mode::S_ISUID | Mode::S_ISGID);
    }
    if file_system.attributes.noexec {
        mode.remove(Mode::S_IXUSR | Mode::S_IXGRP | Mode::S_IXOTH);
    }
    let fd = beneath::open_root(root).map_err(words)?;
    let Found::Other(place, name) = beneath::find(fd.as_fd(), path).map_err(words)? else {
        return Err("it keeps changing".into());
    };
    let kept = unused_name();
    container
        .record(&Deed::FileCopy {
            root: root.to_owned(),
            path: place.path.join(&name),
            kept: kept.clone().into(),
        })
        .map_err(|error| whole(&error))?;
    renameat(&place.fd, name.as_os_str(), &place.fd, kept.as_str()).map_err(words)?;
    copy_up::write_copy(source, place.fd.as_fd(), &name, mode).map_err(words)
}

/// Puts back what was kept as `kept` when a copy took its place at `path` in `root`. Where nothing
/// is kept, nothing was done, or it is undone.
pub(crate) fn undo(root: &Path, path: &Path, kept: &OsStr) -> Result<(), Errno> {
    let fd = match beneath::open_root(root) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
        fd => fd?,
    };
    let Some((parent, name)) = beneath::parent_without_links(fd.as_fd(), path)? else {
        return Ok(());
    };
    match fstatat(&parent, kept, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(_) => renameat(&parent, kept, &parent, name),
        Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// A name that nothing in any root has.
fn unused_name() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    format!(".runj-{}-{}", std::process::id(), now.unwrap_or_default().as_nanos())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::store::Store;

    struct Site {
        directory: tempfile::TempDir,
        container: Locked,
    }

    impl Site {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            fs::create_dir_all(directory.path().join("root/etc")).unwrap();
            fs::write(directory.path().join("source"), "new").unwrap();
            let store = Store::new(directory.path().join("state"));
            let container = store.create(&"c".parse().unwrap()).unwrap();
            Self { directory, container }
        }

        fn put(&mut self, path: &str) -> Result<(), String> {
            let path = Path::new(path);
            let source = self.directory.path().join("source");
            let root = self.directory.path().join("root");
            put(&FileSystem::new("nullfs", source), &root, path, &mut self.container)
        }

        fn undo(&self) {
            for deed in self.container.directory().deeds().unwrap().iter().rev() {
                let Deed::FileCopy { root, path, kept } = deed else { panic!("{deed:?}") };
                undo(root, path, kept.as_os_str()).unwrap();
            }
        }

        fn text(&self, path: &str) -> String {
            fs::read_to_string(self.directory.path().join(path)).unwrap()
        }
    }

    #[test]
    fn what_was_there_comes_back_however_often_it_is_undone() {
        let mut site = Site::new();
        let file = site.directory.path().join("root/etc/hosts");
        fs::write(&file, "old").unwrap();
        site.put("etc/hosts").unwrap();
        assert_eq!(site.text("root/etc/hosts"), "new");
        // The container may do with it what it likes.
        fs::remove_file(&file).unwrap();
        symlink("/etc/passwd", &file).unwrap();
        for _ in 0..2 {
            site.undo();
            assert_eq!(site.text("root/etc/hosts"), "old");
            assert!(!file.is_symlink());
            assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        }
        assert_eq!(site.text("source"), "new");
    }

    #[test]
    fn a_link_in_the_place_is_followed_inside_the_root_only() {
        let mut site = Site::new();
        let victim = site.directory.path().join("victim");
        fs::write(&victim, "host").unwrap();
        let path = victim.to_str().unwrap();
        // Inside the root the link leads to a file of the root's own.
        let inside = site.directory.path().join("root").join(path.trim_start_matches('/'));
        fs::create_dir_all(inside.parent().unwrap()).unwrap();
        fs::write(&inside, "inside").unwrap();
        symlink(path, site.directory.path().join("root/etc/link")).unwrap();
        site.put("etc/link").unwrap();
        assert_eq!(fs::read_to_string(&inside).unwrap(), "new");
        assert_eq!(site.text("victim"), "host");
        site.undo();
        assert_eq!(fs::read_to_string(&inside).unwrap(), "inside");
    }

    #[test]
    fn a_way_that_has_become_a_link_is_not_followed_back() {
        let mut site = Site::new();
        fs::write(site.directory.path().join("root/etc/hosts"), "old").unwrap();
        site.put("etc/hosts").unwrap();
        let outside = site.directory.path().join("outside");
        fs::rename(site.directory.path().join("root/etc"), &outside).unwrap();
        symlink(&outside, site.directory.path().join("root/etc")).unwrap();
        site.undo();
        assert_eq!(site.text("outside/hosts"), "new");
    }
}
