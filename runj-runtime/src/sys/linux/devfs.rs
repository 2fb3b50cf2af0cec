//! The rules of a devfs, by making and removing nodes in what stands for it.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, fstatat, mkdirat, mknodat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchownat, symlinkat, unlinkat};

use super::{MountRefusal, errno_of};
use crate::mounts::devfs_rule::DevfsRule;

/// The host's own.
const DEV: &str = "/dev";

/// Applies a rule to the /dev of which `root` is the root: each node of the host's /dev that
/// matches is made or removed there, or changed if it is there.
pub(crate) fn apply_rule(root: &OwnedFd, rule: &DevfsRule) -> Result<(), MountRefusal> {
    if rule.include.is_some() || !rule.kinds.is_empty() {
        return Err(MountRefusal {
            errno: Errno::EOPNOTSUPP,
            message: Some("the development host has neither rule sets nor types".into()),
        });
    }
    let pattern = rule.path.as_ref().map(|path| CString::new(path.as_str()));
    let pattern = pattern.transpose().map_err(|_| Errno::EINVAL)?;
    let device = fs::symlink_metadata(DEV).map_err(|error| errno_of(&error))?.dev();
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(Path::new(DEV).join(&directory));
        for entry in entries.map_err(|error| errno_of(&error))? {
            let entry = entry.map_err(|error| errno_of(&error))?;
            // One that is gone by now does not match.
            let Ok(node) = fs::symlink_metadata(entry.path()) else { continue };
            // What is mounted in there is no device of the host's.
            if node.dev() != device {
                continue;
            }
            let path = directory.join(entry.file_name());
            if pattern.as_ref().is_none_or(|pattern| matches(pattern, &path)) {
                apply_to(root, rule, &path, &node)?;
            }
            if node.is_dir() {
                directories.push(path);
            }
        }
    }
    Ok(())
}

/// fnmatch(3), as the kernel of FreeBSD does it.
fn matches(pattern: &CString, path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: the pointers are to live C strings.
    unsafe { libc::fnmatch(pattern.as_ptr(), path.as_ptr(), libc::FNM_PATHNAME) == 0 }
}

fn apply_to(
    root: &OwnedFd,
    rule: &DevfsRule,
    path: &Path,
    node: &fs::Metadata,
) -> Result<(), Errno> {
    let there = || fstatat(root, path, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok();
    match rule.visible {
        Some(true) if !there() => match make(root, path, node) {
            // In a directory that is not shown, it is not shown either.
            Err(Errno::ENOENT) => return Ok(()),
            made => made?,
        },
        Some(false) if there() => {
            let how =
                if node.is_dir() { UnlinkatFlags::RemoveDir } else { UnlinkatFlags::NoRemoveDir };
            match unlinkat(root, path, how) {
                Err(Errno::ENOTEMPTY) => {}
                removed => removed?,
            }
        }
        _ => {}
    }
    if there() && !node.is_symlink() {
        fchownat(
            root.as_fd(),
            path,
            rule.uid.map(Uid::from_raw),
            rule.gid.map(Gid::from_raw),
            AtFlags::AT_SYMLINK_NOFOLLOW,
        )?;
        if let Some(mode) = rule.mode {
            let mode = Mode::from_bits_truncate(mode.into());
            fchmodat(root, path, mode, FchmodatFlags::NoFollowSymlink)?;
        }
    }
    Ok(())
}

/// Makes a node like the host's.
fn make(root: &OwnedFd, path: &Path, node: &fs::Metadata) -> Result<(), Errno> {
    let mode = Mode::from_bits_truncate(node.mode());
    let kind = SFlag::from_bits_truncate(node.mode()) & SFlag::S_IFMT;
    match kind {
        SFlag::S_IFDIR => mkdirat(root, path, mode)?,
        SFlag::S_IFLNK => {
            let target = fs::read_link(Path::new(DEV).join(path)).map_err(|e| errno_of(&e))?;
            return symlinkat(target.as_path(), root, path);
        }
        SFlag::S_IFCHR | SFlag::S_IFBLK => mknodat(root, path, kind, mode, node.rdev())?,
        _ => return Ok(()),
    }
    let (uid, gid) = (Uid::from_raw(node.uid()), Gid::from_raw(node.gid()));
    fchownat(root.as_fd(), path, Some(uid), Some(gid), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    // Whatever the caller's umask is.
    fchmodat(root, path, mode, FchmodatFlags::NoFollowSymlink)
}
