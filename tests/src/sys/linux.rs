//! The Linux development host.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::{MemoryUse, few_processes_name};
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

/// Mounts a tmpfs of that many bytes.
pub(crate) fn mount_tmpfs(path: &Path, bytes: usize) -> io::Result<()> {
    let (options, none) = (format!("size={bytes},mode=755"), MsFlags::empty());
    mount(Some("tmpfs"), path, Some("tmpfs"), none, Some(&*options))?;
    Ok(())
}

/// Lets a tmpfs be read only, or written to again.
pub(crate) fn remount_tmpfs(path: &Path, read_only: bool) -> io::Result<()> {
    let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
    flags.set(MsFlags::MS_RDONLY, read_only);
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>)?;
    Ok(())
}

/// How many descriptors a process has open.
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count()
}

/// How many bytes of memory a process has that are no file's.
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn memory(pid: i32) -> usize {
    smaps(pid)("Anonymous") * 1024
}

/// What a process has in memory.
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn memory_use(pid: i32) -> MemoryUse {
    let value = smaps(pid);
    MemoryUse {
        resident: value("Rss"),
        proportional: Some(value("Pss")),
        private: value("Private_Clean") + value("Private_Dirty"),
    }
}

/// The values of a process's mappings together, in KiB, by their names (proc_pid_smaps(5)).
fn smaps(pid: i32) -> impl Fn(&str) -> usize {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("its memory");
    move |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).expect(name)
    }
}

/// Processes of which there may be only so many at once: a cgroup of their own (cgroups(7)).
#[derive(Debug)]
pub struct FewProcesses {
    cgroup: PathBuf,
}

impl FewProcesses {
    /// None yet, with room for that many.
    ///
    /// # Panics
    ///
    /// When this host limits no processes.
    #[must_use]
    pub fn at_most(count: usize) -> Self {
        let mounts = mounts().into_iter();
        let mut pids = mounts.filter(|mount| {
            let version_2 =
                fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
            mount.ends_with("pids") || version_2.split_whitespace().any(|name| name == "pids")
        });
        let hierarchy = pids.next().expect("a hierarchy with the controller pids");
        let cgroup = hierarchy.join(few_processes_name());
        let _ = fs::write(hierarchy.join("cgroup.subtree_control"), "+pids");
        fs::create_dir(&cgroup).expect("a cgroup");
        fs::write(cgroup.join("pids.max"), count.to_string()).expect("pids.max");
        Self { cgroup }
    }

    /// Makes the command one of them.
    pub(crate) fn admit(&self, command: &mut Command) {
        let door = fs::OpenOptions::new().write(true).open(self.cgroup.join("cgroup.procs"));
        let door = door.expect("cgroup.procs");
        // SAFETY: write(2) is async-signal-safe, and the closure allocates nothing.
        unsafe {
            // 0 is whoever writes it.
            command.pre_exec(move || (&door).write_all(b"0"));
        }
    }
}

impl Drop for FewProcesses {
    fn drop(&mut self) {
        // What was started in it and goes on is moved by nobody: it has to have ended.
        let _ = fs::remove_dir(&self.cgroup);
    }
}

/// Unmounts what is on that path.
pub(crate) fn unmount(path: &Path) -> io::Result<()> {
    umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)?;
    Ok(())
}

/// The processes that have the sandbox at `path` as [`MARK`] in their environment.
#[must_use]
pub fn marked_processes(path: &Path) -> BTreeSet<i32> {
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
