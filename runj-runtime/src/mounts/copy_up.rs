//! `tmpcopyup`: what is in a directory is copied into the file system that is mounted on it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode, SFlag, UtimensatFlags, fchmod, fchmodat, fstat, fstatat,
    futimens, mkdirat, mknodat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, Whence, fchown, fchownat, linkat, lseek, symlinkat};

use crate::beneath;

/// How many directories may be inside one another. Each holds two descriptors while it is copied,
/// and there may be no more than 1024 of these; no path in use comes near it.
const GREATEST_DEPTH: usize = 256;

/// What could not be copied.
#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {errno}")]
pub(super) struct CopyError {
    /// Relative to the directory.
    path: PathBuf,
    errno: Errno,
}

/// Copies what is in the directory `from` into the directory `to`: files, links of both kinds,
/// directories, pipes and devices, with their owners, modes and times.
///
/// No link is followed. What is mounted below `from` is not gone into, and sockets, which are
/// nothing without the process that listens, are left out.
pub(super) fn copy(from: OwnedFd, to: &OwnedFd) -> Result<(), CopyError> {
    let mut path = PathBuf::new();
    let device = fstat(&from).map(|stat| stat.st_dev);
    let device = device.map_err(|errno| CopyError { path: path.clone(), errno })?;
    let mut copy = Copy { top: to.as_fd(), device, linked: HashMap::new() };
    copy.entries(from, to.as_fd(), &mut path).map_err(|errno| CopyError { path, errno })
}

struct Copy<'a> {
    /// The directory that everything is copied into.
    top: BorrowedFd<'a>,
    /// Of the file system that is copied.
    device: libc::dev_t,
    /// Where in it a file is that has more names than one.
    linked: HashMap<libc::ino_t, PathBuf>,
}

impl Copy<'_> {
    /// Copies all entries of a directory. When it fails, `path` is what it failed at.
    fn entries(
        &mut self,
        from: OwnedFd,
        to: BorrowedFd<'_>,
        path: &mut PathBuf,
    ) -> Result<(), Errno> {
        let mut from = Dir::from_fd(from)?;
        let mut names: Vec<OsString> = Vec::new();
        for entry in from.iter() {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        for name in names {
            path.push(&name);
            self.entry(from.as_fd(), to, &name, path)?;
            path.pop();
        }
        Ok(())
    }

    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        path: &mut PathBuf,
    ) -> Result<(), Errno> {
        let stat = match fstatat(from, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            // Gone since the directory was read.
            Err(Errno::ENOENT) => return Ok(()),
            stat => stat?,
        };
        let kind = file_type(&stat);
        if kind != SFlag::S_IFDIR && stat.st_nlink > 1 {
            if let Some(first) = self.linked.get(&stat.st_ino) {
                return linkat(self.top, first.as_path(), to, name, AtFlags::empty());
            }
            self.linked.insert(stat.st_ino, path.clone());
        }
        match kind {
            SFlag::S_IFDIR => self.directory(from, to, name, path),
            SFlag::S_IFREG => file(from, to, name),
            SFlag::S_IFLNK => {
                symlinkat(readlinkat(from, name)?.as_os_str(), to, name)?;
                same_attributes(to, name, &stat)
            }
            SFlag::S_IFIFO | SFlag::S_IFCHR | SFlag::S_IFBLK => {
                // A fifo has the number NODEV on FreeBSD, which mknod(2) refuses for one.
                let device = if kind == SFlag::S_IFIFO { 0 } else { stat.st_rdev };
                mknodat(to, name, kind, mode(&stat), device)?;
                same_attributes(to, name, &stat)
            }
            _ => {
                tracing::warn!("tmpcopyup: {path:?} is left out: it is a socket");
                self.linked.remove(&stat.st_ino);
                Ok(())
            }
        }
    }

    fn directory(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        path: &mut PathBuf,
    ) -> Result<(), Errno> {
        if path.components().count() > GREATEST_DEPTH {
            return Err(Errno::ENAMETOOLONG);
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let inner_from = openat(from, name, flags, Mode::empty())?;
        let stat = fstat(&inner_from)?;
        mkdirat(to, name, Mode::S_IRWXU)?;
        let inner_to = openat(to, name, flags, Mode::empty())?;
        if stat.st_dev == self.device {
            self.entries(inner_from, inner_to.as_fd(), path)?;
        }
        finish(&inner_to, &stat, mode(&stat))
    }
}

/// Copies a file with its owner, mode and times.
fn file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let source = beneath::open_file(from, name)?;
    let stat = fstat(&source)?;
    write_copy(source, to, name, mode(&stat)).map(drop)
}

/// Makes `name` in `to` a copy of `source`, with its owner and times, and with this mode; tells
/// what it has become.
pub(super) fn write_copy(
    mut source: File,
    to: BorrowedFd<'_>,
    name: &OsStr,
    mode: Mode,
) -> Result<FileStat, Errno> {
    let stat = fstat(&source)?;
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut target = File::from(openat(to, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
    copy_text(&mut source, &mut target, u64::try_from(stat.st_size).unwrap_or(0))?;
    let target = target.into();
    finish(&target, &stat, mode)?;
    fstat(&target)
}

/// Copies the `size` bytes of a file. Holes stay holes: a file may be all hole, and greater than
/// any memory (lseek(2), `SEEK_DATA`).
fn copy_text(source: &mut File, target: &mut File, size: u64) -> Result<(), Errno> {
    let mut end = 0;
    while end < size {
        let start = match seek(source, end, Whence::SeekData) {
            // From there on it is a hole, or it has become shorter.
            Err(Errno::ENXIO) => break,
            // A file system that knows of no holes, such as procfs(5), knows no sizes either.
            Err(Errno::EINVAL) if end == 0 => return copy_to_end(source, target),
            start => start?,
        };
        end = match seek(source, start, Whence::SeekHole) {
            Err(Errno::ENXIO) => break,
            hole => hole?.min(size),
        };
        let from_start = SeekFrom::Start(start);
        source.seek(from_start).map_err(errno_of)?;
        target.seek(from_start).map_err(errno_of)?;
        // What grows meanwhile is not run after.
        let length = end.saturating_sub(start);
        io::copy(&mut source.by_ref().take(length), target).map_err(errno_of)?;
    }
    target.set_len(size).map_err(errno_of)
}

fn copy_to_end(source: &mut File, target: &mut File) -> Result<(), Errno> {
    io::copy(source, target).map(drop).map_err(errno_of)
}

fn seek(file: &File, offset: u64, whence: Whence) -> Result<u64, Errno> {
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
    lseek(file, offset, whence).and_then(|offset| u64::try_from(offset).map_err(|_| Errno::EIO))
}

/// Gives a copy the owner and times of what it is a copy of. The mode comes after the owner: a
/// change of the owner takes a setuid bit away.
fn finish(copy: &OwnedFd, stat: &FileStat, mode: Mode) -> Result<(), Errno> {
    fchown(copy, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    fchmod(copy, mode)?;
    let (accessed, modified) = times(stat);
    futimens(copy, &accessed, &modified)
}

/// As [`finish`], for what is not to be opened.
fn same_attributes(to: BorrowedFd<'_>, name: &OsStr, stat: &FileStat) -> Result<(), Errno> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    fchownat(to, name, Some(uid), Some(gid), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if file_type(stat) != SFlag::S_IFLNK {
        // Whatever the umask was when it was made. Where another container sees the file system, a
        // link may have taken its place: FreeBSD changes the link then, and Linux refuses.
        fchmodat(to, name, mode(stat), FchmodatFlags::NoFollowSymlink)?;
    }
    let (accessed, modified) = times(stat);
    utimensat(to, name, &accessed, &modified, UtimensatFlags::NoFollowSymlink)
}

pub(super) fn mode(stat: &FileStat) -> Mode {
    Mode::from_bits_truncate(stat.st_mode)
}

fn file_type(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn times(stat: &FileStat) -> (TimeSpec, TimeSpec) {
    let time = |seconds, nanoseconds| TimeSpec::new(seconds, nanoseconds);
    (time(stat.st_atime, stat.st_atime_nsec), time(stat.st_mtime, stat.st_mtime_nsec))
}

fn errno_of(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::beneath::open_root;

    fn copied(from: &Path) -> Result<tempfile::TempDir, CopyError> {
        let to = tempfile::tempdir().unwrap();
        let readable = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let fd = nix::fcntl::open(from, readable, Mode::empty()).unwrap();
        copy(fd, &open_root(to.path()).unwrap()).map(|()| to)
    }

    #[test]
    fn everything_arrives_as_it_was() {
        let from = tempfile::tempdir().unwrap();
        let at = |name: &str| from.path().join(name);
        fs::create_dir_all(at("deep/er")).unwrap();
        fs::write(at("deep/er/file"), "text").unwrap();
        fs::write(at("program"), "#!").unwrap();
        fs::hard_link(at("program"), at("deep/same")).unwrap();
        symlink("er/file", at("deep/link")).unwrap();
        symlink("/etc", at("out")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _listener = UnixListener::bind(at("socket")).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        File::options().write(true).open(at("program")).unwrap().set_modified(long_ago).unwrap();
        fs::set_permissions(at("program"), fs::Permissions::from_mode(0o4711)).unwrap();
        fs::set_permissions(at("deep"), fs::Permissions::from_mode(0o1700)).unwrap();

        let to = copied(from.path()).unwrap();
        let at = |name: &str| to.path().join(name);
        let mode = |name: &str| fs::symlink_metadata(at(name)).unwrap().mode();
        assert_eq!(fs::read_to_string(at("deep/er/file")).unwrap(), "text");
        assert_eq!(mode("program") & 0o7777, 0o4711);
        assert_eq!(mode("deep") & 0o7777, 0o1700);
        assert_eq!(fs::metadata(at("program")).unwrap().modified().unwrap(), long_ago);
        let inode = |name: &str| fs::metadata(at(name)).unwrap().ino();
        assert_eq!(inode("program"), inode("deep/same"));
        assert_eq!(fs::read_link(at("deep/link")).unwrap(), Path::new("er/file"));
        assert_eq!(fs::read_link(at("out")).unwrap(), Path::new("/etc"));
        assert!(fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
        assert!(!at("socket").exists());
    }

    #[test]
    fn a_link_that_takes_the_place_of_a_node_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let victim = directory.path().join("victim");
        fs::write(&victim, "").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let mut stat = nix::sys::stat::lstat(&pipe).unwrap();
        stat.st_mode |= 0o777;
        let fd = open_root(directory.path()).unwrap();
        // As it is found when nobody interferes.
        same_attributes(fd.as_fd(), OsStr::new("pipe"), &stat).unwrap();
        assert_eq!(fs::metadata(&pipe).unwrap().mode() & 0o777, 0o777);
        fs::remove_file(&pipe).unwrap();
        symlink(&victim, &pipe).unwrap();
        // Whether that is an error is the host's.
        let _ = same_attributes(fd.as_fd(), OsStr::new("pipe"), &stat);
        assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn holes_stay_holes() {
        const HOLE: u64 = 1 << 26;
        let from = tempfile::tempdir().unwrap();
        for name in ["first", "last", "all", "none"] {
            let mut file = File::create(from.path().join(name)).unwrap();
            match name {
                "first" => file.write_all(b"data").and_then(|()| file.set_len(HOLE)),
                "last" => file.seek(SeekFrom::Start(HOLE)).and_then(|_| file.write_all(b"data")),
                "all" => file.set_len(HOLE),
                _ => file.write_all(b"data"),
            }
            .unwrap();
        }
        let to = copied(from.path()).unwrap();
        for name in ["first", "last", "all", "none"] {
            let (source, copy) = (from.path().join(name), to.path().join(name));
            assert!(fs::read(&source).unwrap() == fs::read(&copy).unwrap(), "{name}");
            assert!(fs::metadata(copy).unwrap().blocks() * 512 < HOLE / 2, "{name}");
        }
    }

    #[test]
    fn what_is_too_deep_is_not_gone_into() {
        for (depth, fits) in [(GREATEST_DEPTH, true), (GREATEST_DEPTH + 1, false)] {
            let from = tempfile::tempdir().unwrap();
            let deepest: PathBuf = std::iter::repeat_n("d", depth).collect();
            fs::create_dir_all(from.path().join(deepest)).unwrap();
            match copied(from.path()) {
                Ok(_) => assert!(fits),
                Err(error) => {
                    assert!(!fits);
                    assert_eq!(error.errno, Errno::ENAMETOOLONG);
                    assert_eq!(error.path.components().count(), depth);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_copied_is_named() {
        let from = tempfile::tempdir().unwrap();
        fs::create_dir(from.path().join("deep")).unwrap();
        fs::write(from.path().join("deep/file"), "new").unwrap();
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(to.path().join("deep")).unwrap();
        let readable = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let fd = nix::fcntl::open(from.path(), readable, Mode::empty()).unwrap();
        let error = copy(fd, &open_root(to.path()).unwrap()).unwrap_err();
        assert_eq!(error.path, Path::new("deep"));
        assert_eq!(error.errno, Errno::EEXIST);
    }
}
