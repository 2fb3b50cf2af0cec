//! `tmpcopyup`: what is in a directory is copied into the file system that is mounted on it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{
    FileStat, Mode, SFlag, UtimensatFlags, fchmod, fstat, fstatat, futimens, mkdirat, mknodat,
    utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown, fchownat, linkat, symlinkat};

use crate::beneath;

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
                mknodat(to, name, kind, mode(&stat), stat.st_rdev)?;
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
    write_copy(source, to, name, mode(&stat))
}

/// Makes `name` in `to` a copy of `source`, with its owner and times, and with this mode.
pub(super) fn write_copy(
    mut source: File,
    to: BorrowedFd<'_>,
    name: &OsStr,
    mode: Mode,
) -> Result<(), Errno> {
    let stat = fstat(&source)?;
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut target = File::from(openat(to, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
    io::copy(&mut source, &mut target).map_err(errno_of)?;
    finish(&target.into(), &stat, mode)
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
        // Whatever the umask was when it was made.
        nix::sys::stat::fchmodat(
            to,
            name,
            mode(stat),
            nix::sys::stat::FchmodatFlags::FollowSymlink,
        )?;
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
