//! Paths inside a container's root, resolved without ever leaving it.
//!
//! The container may have put anything into its root: links to the host's files, links that
//! change while one looks. So a path is walked component by component, from one directory
//! descriptor to the next, with links read by us and followed from the root. A plain
//! `O_RESOLVE_BENEATH` or `RESOLVE_IN_ROOT` would do the same on one of the two kernels only, and
//! FreeBSD's refuses the absolute links that images are full of.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// More links than this on one way mean a loop, as in the kernel (`MAXSYMLINKS` is 32 on FreeBSD,
/// 40 on Linux).
const MOST_LINKS: usize = 40;

/// How often one component may change between two looks at it before we give up.
const MOST_CHANGES: usize = 64;

/// A directory inside a root, held open, and where it was found.
#[derive(Debug)]
pub(crate) struct Place {
    /// The directory itself.
    pub(crate) fd: OwnedFd,
    /// Its way from the root, free of links.
    pub(crate) path: PathBuf,
}

/// What a path inside a root leads to.
#[derive(Debug)]
pub(crate) enum Found {
    /// A directory.
    Directory(Place),
    /// Something else, in this directory under this name.
    Other(Place, OsString),
    /// Nothing: this directory lacks the first of these names.
    Missing(Place, VecDeque<OsString>),
}

/// The flags by which a directory is opened to be walked through, and no more.
const WALK: OFlag =
    OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// Opens a directory of the host.
pub(crate) fn open_root(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    nix::fcntl::open(path, flags, Mode::empty())
}

/// Where `path` leads inside `root`, links included.
pub(crate) fn find(root: BorrowedFd<'_>, path: &Path) -> Result<Found, Errno> {
    let mut walk = Walk::new(root);
    let mut todo: VecDeque<OsString> = components(path).collect();
    let mut links = 0;
    let mut changes = 0;
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            walk.leave();
            continue;
        }
        let here = walk.here();
        // Most are directories, and to open one in this way does nothing to what is none.
        match openat(here, name.as_os_str(), WALK, Mode::empty()) {
            Ok(fd) => {
                walk.enter(fd, name);
                continue;
            }
            Err(Errno::ENOENT) => return missing(walk, todo, name),
            // A link or something else: ENOTDIR for both, as the kernels are today.
            Err(Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK) => {}
            Err(errno) => return Err(errno),
        }
        match kind(here, &name) {
            Ok(SFlag::S_IFDIR) => retry(Errno::ENOTDIR, &mut changes, &mut todo, name)?,
            Ok(SFlag::S_IFLNK) => match readlinkat(here, name.as_os_str()) {
                Ok(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    if Path::new(&target).is_absolute() {
                        walk.back_to_root();
                    }
                    for component in components(Path::new(&target)).rev() {
                        todo.push_front(component);
                    }
                }
                Err(errno) => retry(errno, &mut changes, &mut todo, name)?,
            },
            Ok(_) if todo.is_empty() => return Ok(Found::Other(walk.into_place()?, name)),
            Ok(_) => return Err(Errno::ENOTDIR),
            Err(Errno::ENOENT) => return missing(walk, todo, name),
            Err(errno) => return Err(errno),
        }
    }
    Ok(Found::Directory(walk.into_place()?))
}

/// There is no `name` where the walk has come to, and with it none of what was still to be walked.
fn missing(walk: Walk<'_>, mut todo: VecDeque<OsString>, name: OsString) -> Result<Found, Errno> {
    // `..` in what is missing cannot be looked up, only be taken literally, and nothing that is to
    // be created is named that.
    if todo.iter().any(|name| name == "..") {
        return Err(Errno::ENOENT);
    }
    todo.push_front(name);
    Ok(Found::Missing(walk.into_place()?, todo))
}

/// Makes a directory in `place`, to mount on or to make others in.
pub(crate) fn make_directory(place: &Place, name: &OsStr) -> Result<(), Errno> {
    mkdirat(&place.fd, name, Mode::from_bits_truncate(0o755))
}

/// Makes an empty file in `place`, to mount another one on.
pub(crate) fn make_file(place: &Place, name: &OsStr) -> Result<(), Errno> {
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(&place.fd, name, flags, Mode::from_bits_truncate(0o644)).map(drop)
}

/// Opens a regular file in `directory` to be read, and nothing else: no link, no pipe that would have
/// to be waited for, no device, which may do something when it is opened. For these it is `EINVAL`.
pub(crate) fn open_file(directory: BorrowedFd<'_>, name: &OsStr) -> Result<File, Errno> {
    // Asked before, for the sake of devices, and again of what was opened, for the sake of changes.
    regular(kind(directory, name)?)?;
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty())?;
    regular(file_type(&fstat(&file)?))?;
    Ok(file.into())
}

fn regular(kind: SFlag) -> Result<(), Errno> {
    if kind == SFlag::S_IFREG { Ok(()) } else { Err(Errno::EINVAL) }
}

/// Removes an empty directory, or an empty file, that was made at `path` in `root`.
///
/// The way there is walked without following any link: what was recorded had none. What is not
/// there, or not empty any more, is left as it is.
pub(crate) fn remove_made(root: BorrowedFd<'_>, path: &Path, directory: bool) -> Result<(), Errno> {
    let Some((here, name)) = parent_without_links(root, path)? else { return Ok(()) };
    let flags = if directory {
        UnlinkatFlags::RemoveDir
    } else {
        match fstatat(&here, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) if file_type(&stat) == SFlag::S_IFREG && stat.st_size == 0 => {}
            Ok(_) | Err(Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
        UnlinkatFlags::NoRemoveDir
    };
    match unlinkat(&here, name, flags) {
        // Said even of what is not there, and then it never could be made.
        Err(Errno::EROFS) if kind(here.as_fd(), name) == Err(Errno::ENOENT) => Ok(()),
        Ok(()) | Err(Errno::ENOENT | Errno::ENOTEMPTY | Errno::EEXIST | Errno::ENOTDIR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// The directory of `path` in `root`, and the name in it. Nothing when there is a link on the way,
/// or the way is gone.
pub(crate) fn parent_without_links<'a>(
    root: BorrowedFd<'_>,
    path: &'a Path,
) -> Result<Option<(OwnedFd, &'a OsStr)>, Errno> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    let mut here = root.try_clone_to_owned().map_err(errno_of)?;
    for component in components(parent) {
        here = match openat(&here, component.as_os_str(), WALK, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK) => return Ok(None),
            Err(errno) => return Err(errno),
        };
    }
    Ok(Some((here, name)))
}

/// Lets the walk look again at a component that changed between two looks at it.
fn retry(
    errno: Errno,
    changes: &mut usize,
    todo: &mut VecDeque<OsString>,
    name: OsString,
) -> Result<(), Errno> {
    // openat(2) found no directory where there is one now, or readlinkat(2) no link.
    let changed = [Errno::ENOTDIR, Errno::ENOENT, Errno::EINVAL];
    *changes += 1;
    if *changes > MOST_CHANGES || !changed.contains(&errno) {
        return Err(errno);
    }
    todo.push_front(name);
    Ok(())
}

fn kind(directory: BorrowedFd<'_>, name: &OsStr) -> Result<SFlag, Errno> {
    fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW).map(|stat| file_type(&stat))
}

fn file_type(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits())
}

fn components(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

/// The errno of an error of the standard library.
pub(crate) fn errno_of(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// The way from the root to where one is.
struct Walk<'a> {
    root: BorrowedFd<'a>,
    steps: Vec<(OsString, OwnedFd)>,
}

impl<'a> Walk<'a> {
    fn new(root: BorrowedFd<'a>) -> Self {
        Self { root, steps: Vec::new() }
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.steps.last().map_or(self.root, |(_, fd)| fd.as_fd())
    }

    fn enter(&mut self, fd: OwnedFd, name: OsString) {
        self.steps.push((name, fd));
    }

    /// `..`: as in a chroot(2), the root's parent is the root.
    fn leave(&mut self) {
        self.steps.pop();
    }

    fn back_to_root(&mut self) {
        self.steps.clear();
    }

    fn into_place(mut self) -> Result<Place, Errno> {
        let mut path = PathBuf::new();
        for (name, _) in &self.steps {
            path.push(OsStr::from_bytes(name.as_bytes()));
        }
        let fd = match self.steps.pop() {
            Some((_, fd)) => fd,
            None => self.root.try_clone_to_owned().map_err(errno_of)?,
        };
        Ok(Place { fd, path })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Root {
        directory: tempfile::TempDir,
        fd: OwnedFd,
    }

    impl Root {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let fd = open_root(directory.path()).unwrap();
            fs::create_dir_all(directory.path().join("usr/lib/deep")).unwrap();
            fs::write(directory.path().join("usr/file"), "x").unwrap();
            Self { directory, fd }
        }

        fn link(&self, target: &str, name: &str) {
            symlink(target, self.directory.path().join(name)).unwrap();
        }

        fn found(&self, path: &str) -> String {
            match find(self.fd.as_fd(), Path::new(path)) {
                Ok(Found::Directory(place)) => format!("d:{}", place.path.display()),
                Ok(Found::Other(place, name)) => {
                    format!("f:{}", place.path.join(name).display())
                }
                Ok(Found::Missing(place, names)) => {
                    let names: Vec<_> = names.iter().map(|n| n.to_string_lossy()).collect();
                    format!("m:{}:{}", place.path.display(), names.join("/"))
                }
                Err(errno) => format!("e:{errno:?}"),
            }
        }
    }

    #[test]
    fn paths_are_found() {
        let root = Root::new();
        assert_eq!(root.found("/"), "d:");
        assert_eq!(root.found("/usr/lib"), "d:usr/lib");
        assert_eq!(root.found("usr/./lib/../file"), "f:usr/file");
        assert_eq!(root.found("/usr/new/er"), "m:usr:new/er");
        assert_eq!(root.found("/usr/file/x"), "e:ENOTDIR");
        assert_eq!(root.found("/usr/new/../x"), "e:ENOENT");
    }

    #[test]
    fn links_are_followed_from_the_root_and_never_out_of_it() {
        let root = Root::new();
        root.link("usr/lib", "relative");
        root.link("/usr/lib", "absolute");
        root.link("../../../../../../usr/lib", "climbing");
        root.link("/etc", "host");
        root.link("/proc/self/root/etc", "magic");
        root.link("loop2", "loop1");
        root.link("loop1", "loop2");
        assert_eq!(root.found("/relative/deep"), "d:usr/lib/deep");
        assert_eq!(root.found("/absolute/deep"), "d:usr/lib/deep");
        assert_eq!(root.found("/climbing/deep"), "d:usr/lib/deep");
        assert_eq!(root.found("../../.."), "d:");
        assert_eq!(root.found("/host/passwd"), "m::etc/passwd");
        assert_eq!(root.found("/magic"), "m::proc/self/root/etc");
        assert_eq!(root.found("/loop1"), "e:ELOOP");
    }

    #[test]
    fn what_was_made_is_removed_and_nothing_else() {
        let root = Root::new();
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("victim")).unwrap();
        root.link(outside.path().to_str().unwrap(), "out");
        let fd = root.fd.as_fd();
        remove_made(fd, Path::new("out/victim"), true).unwrap();
        assert!(outside.path().join("victim").is_dir());
        remove_made(fd, Path::new("usr/file"), false).unwrap();
        assert!(root.directory.path().join("usr/file").exists(), "not empty, so not ours");
        remove_made(fd, Path::new("usr"), true).unwrap();
        assert!(root.directory.path().join("usr").is_dir());
        remove_made(fd, Path::new("usr/lib/deep"), true).unwrap();
        assert!(!root.directory.path().join("usr/lib/deep").exists());
        remove_made(fd, Path::new("no/such/thing"), true).unwrap();
    }

    #[test]
    fn a_link_swapped_in_while_we_look_does_not_lead_out() {
        let root = Root::new();
        let outside = tempfile::tempdir().unwrap();
        let base = root.directory.path().to_owned();
        fs::create_dir(base.join("real")).unwrap();
        symlink(outside.path(), base.join("evil")).unwrap();
        let identity = |fd: &OwnedFd| {
            let stat = nix::sys::stat::fstat(fd).unwrap();
            (stat.st_dev, stat.st_ino)
        };
        let forbidden = identity(&open_root(outside.path()).unwrap());
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // The directory and the link trade names as fast as they can.
                while !stop.load(Ordering::Relaxed) {
                    let _ = fs::rename(base.join("real"), base.join("turn"));
                    let _ = fs::rename(base.join("evil"), base.join("real"));
                    let _ = fs::rename(base.join("real"), base.join("evil"));
                    let _ = fs::rename(base.join("turn"), base.join("real"));
                }
            });
            let mut directories = 0;
            for _ in 0..20_000 {
                if let Ok(Found::Directory(place)) = find(root.fd.as_fd(), Path::new("real")) {
                    assert_ne!(identity(&place.fd), forbidden);
                    directories += 1;
                }
            }
            stop.store(true, Ordering::Relaxed);
            assert!(directories > 0, "the race was never won, so nothing was tested");
        });
    }
}
