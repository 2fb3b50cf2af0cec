//! The Linux development host.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::mount::{MntFlags, umount2};

use crate::sandbox::MARK;

/// Where file systems are mounted, the oldest first.
pub(crate) fn mounts() -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("the table of mounts");
    // proc_pid_mountinfo(5). Names of ours need no escapes.
    table.lines().filter_map(|line| line.split(' ').nth(4).map(PathBuf::from)).collect()
}

/// Exchanges two files by their names, if both are there.
pub fn exchange(one: &Path, other: &Path) {
    let _ = renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE);
}

/// Unmounts what is on that path.
pub(crate) fn unmount(path: &Path) -> io::Result<()> {
    umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)?;
    Ok(())
}

/// The processes that have the sandbox at `path` as [`MARK`] in their environment.
pub(crate) fn marked_processes(path: &Path) -> BTreeSet<i32> {
    let mark = [MARK.as_bytes(), b"=", path.as_os_str().as_bytes()].concat();
    let marked = |pid: &i32| {
        // One that has ended meanwhile has none.
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == mark)
    };
    let entries = fs::read_dir("/proc").expect("the table of processes");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).filter(marked).collect()
}
