//! A copy of a file in the place of a mount of it.
//!
//! Not every kernel of FreeBSD can mount a nullfs on a file: 13.2 panics
//! (`vn_path_to_global_path_hardlink`, sys/kern/vfs_cache.c, uses a length that nobody has set). So
//! the container gets a copy. What is in its place is kept beside it under a name of ours, and put
//! back at the end.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, renameat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use runj_faults::{Point, at};

use super::copy_up;
use super::file_system::FileSystem;
use crate::beneath::{self, Found, Place};
use crate::error::{Error, whole};
use crate::ledger::{Deed, FileId};
use crate::store::Locked;

/// A copy that is on record, and is to be made.
pub(super) struct FileCopy {
    source: File,
    mode: Mode,
    place: Place,
    name: OsString,
    /// What is there gets this name.
    kept: String,
}

/// Puts on record that a copy will be at `path` in `root`, where there is a file. An error is the
/// reason in words.
pub(super) fn announce(
    file_system: &FileSystem,
    root: &Path,
    path: &Path,
    container: &mut Locked,
) -> Result<FileCopy, String> {
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
    container.note_copies().map_err(|error| whole(&error))?;
    container
        .record(&Deed::FileCopy {
            root: root.to_owned(),
            path: place.path.join(&name),
            kept: kept.clone().into(),
        })
        .map_err(|error| whole(&error))?;
    Ok(FileCopy { source, mode, place, name, kept })
}

impl FileCopy {
    /// Makes it.
    pub(super) fn put(self, container: &mut Locked) -> Result<(), String> {
        let Self { source, mode, place, name, kept } = self;
        at(Point::KeepFile).map_err(|fault| words(fault.errno()))?;
        renameat(&place.fd, name.as_os_str(), &place.fd, kept.as_str()).map_err(words)?;
        at(Point::CopyFile).map_err(|fault| words(fault.errno()))?;
        let copy = copy_up::write_copy(source, place.fd.as_fd(), &name, mode).map_err(words)?;
        container.record(&Deed::FileCopied(file_id(&copy))).map_err(|error| whole(&error))
    }
}

/// Refuses a root in which another container has a copy: it would be seen there, as no mount is.
pub(crate) fn refuse_copies_of_others(root: &Path, container: &Locked) -> Result<(), Error> {
    let is_in_root = |deed: &Deed| match deed {
        Deed::FileCopy { root: its_root, path, .. } => its_root.join(path).starts_with(root),
        _ => false,
    };
    for (other, record) in container.others_with_copies()? {
        let is_nested = record.root.starts_with(root) || root.starts_with(&record.root);
        if is_nested && other.deeds()?.iter().any(is_in_root) {
            return Err(Error::Unusable {
                place: "config.json: root.path".into(),
                value: format!("{root:?}"),
                reason: format!(
                    "container {} has files mounted in it, which are copies on this host, and they \
                     would be seen",
                    other.id()
                ),
            });
        }
    }
    Ok(())
}

/// The copies that other containers have.
pub(crate) fn copies_of_others(container: &Locked) -> Result<Vec<FileId>, Error> {
    let mut copies = Vec::new();
    for (other, _) in container.others_with_copies()? {
        copies.extend(other.deeds().into_iter().flatten().filter_map(|deed| match deed {
            Deed::FileCopied(id) => Some(id),
            _ => None,
        }));
    }
    Ok(copies)
}

/// Puts back what was kept as `kept` when a copy took its place at `path` in `root`. Where nothing
/// is kept, nothing was done, or it is undone.
///
/// What the container has put there instead of its copy goes; one of `others`, which are other
/// containers' copies, does not: that is `EBUSY`.
pub(crate) fn undo(root: &Path, path: &Path, kept: &OsStr, others: &[FileId]) -> Result<(), Errno> {
    let fd = match beneath::open_root(root) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
        fd => fd?,
    };
    let Some((parent, name)) = beneath::parent_without_links(fd.as_fd(), path)? else {
        return Ok(());
    };
    match fstatat(&parent, kept, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(_) => match fstatat(&parent, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) if others.contains(&file_id(&stat)) => Err(Errno::EBUSY),
            Ok(_) | Err(Errno::ENOENT) => renameat(&parent, kept, &parent, name),
            Err(errno) => Err(errno),
        },
        Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn file_id(stat: &FileStat) -> FileId {
    FileId { device: stat.st_dev, inode: stat.st_ino }
}

fn words(errno: Errno) -> String {
    errno.desc().to_owned()
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
    use crate::record::{Phase, Record};
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
            let file_system = FileSystem::new("nullfs", source);
            announce(&file_system, &root, path, &mut self.container)?.put(&mut self.container)
        }

        fn undo(&self) {
            self.undo_beside(&[]).unwrap();
        }

        fn undo_beside(&self, others: &[FileId]) -> Result<(), Errno> {
            for deed in self.container.directory().deeds().unwrap().iter().rev() {
                match deed {
                    Deed::FileCopied(_) => {}
                    Deed::FileCopy { root, path, kept } => {
                        undo(root, path, kept.as_os_str(), others)?;
                    }
                    deed => panic!("{deed:?}"),
                }
            }
            Ok(())
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
    fn another_container_s_copy_in_the_place_stays() {
        let mut site = Site::new();
        fs::write(site.directory.path().join("root/etc/hosts"), "old").unwrap();
        site.put("etc/hosts").unwrap();
        let store = Store::new(site.directory.path().join("state"));
        let first =
            std::mem::replace(&mut site.container, store.create(&"d".parse().unwrap()).unwrap());
        fs::write(site.directory.path().join("source"), "newer").unwrap();
        site.put("etc/hosts").unwrap();
        let second = std::mem::replace(&mut site.container, first);
        let [_, Deed::FileCopied(id)] = second.directory().deeds().unwrap()[..] else { panic!() };
        assert_eq!(site.undo_beside(&[id]), Err(Errno::EBUSY));
        assert_eq!(site.text("root/etc/hosts"), "newer");
    }

    #[test]
    fn a_root_with_another_container_s_copies_is_refused() {
        let mut site = Site::new();
        fs::write(site.directory.path().join("root/etc/hosts"), "old").unwrap();
        let root = site.directory.path().join("root");
        let config = Record {
            version: Record::VERSION,
            id: "c".parse().unwrap(),
            oci_version: "1.3.0".into(),
            bundle: root.clone(),
            created: crate::rfc3339::now(),
            phase: Phase::Created,
            paused: false,
            annotations: Default::default(),
            later_hooks: false,
            root: root.clone(),
            jail_path: root.clone(),
            jail_name: "c".into(),
            jid: None,
            init: None,
            boot: String::new(),
        };
        site.container.write(&config).unwrap();
        let store = Store::new(site.directory.path().join("state"));
        let other = store.create(&"d".parse().unwrap()).unwrap();
        refuse_copies_of_others(&root, &other).unwrap();
        site.put("etc/hosts").unwrap();
        let reason = refuse_copies_of_others(&root, &other).unwrap_err().to_string();
        assert!(reason.contains("container c has files"), "{reason}");
        // The same for a root inside of it, and not for one that lacks the copy.
        refuse_copies_of_others(&root.join("etc"), &other).unwrap_err();
        refuse_copies_of_others(&root.join("var"), &other).unwrap();
        refuse_copies_of_others(&root, &site.container).unwrap();
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
