//! The Linux development host.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::mount::{MntFlags, umount2};

use crate::containerd::release::SET_UP;
use crate::containerd::{Entry, Userland};
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

/// Makes this process the parent of those of its descendants whose own has ended (prctl(2)).
pub(crate) fn become_reaper() -> io::Result<()> {
    nix::sys::prctl::set_child_subreaper(true)?;
    Ok(())
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

/// The words of a process's command line, each ended by a NUL; nothing of one that has ended.
pub(crate) fn command_line(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

/// Whether a process is stopped, as by SIGSTOP (proc_pid_stat(5)).
#[must_use]
pub fn is_stopped(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('T'))
}

/// Debian's static busybox by all of its names: the one that `cargo xtask test` has set up, or the
/// host's.
pub(crate) fn userland() -> Result<Userland, &'static str> {
    let set_up = Path::new(SET_UP).join("bookworm/bin/busybox");
    let busybox = [set_up, "/bin/busybox".into()].into_iter().find(|busybox| busybox.exists());
    let busybox = busybox.ok_or("Debian's package busybox-static")?;
    let names = Command::new(&busybox).arg("--list").output().expect("busybox").stdout;
    let names = String::from_utf8(names).expect("names");
    let links = names.lines().filter(|name| *name != "busybox");
    let links = links.map(|name| (Path::new("bin").join(name), Entry::Link("busybox".into())));
    let all = [("bin/busybox".into(), Entry::Copy(busybox))].into_iter().chain(links);
    Ok(Userland(all.collect()))
}
