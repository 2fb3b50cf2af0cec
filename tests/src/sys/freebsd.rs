//! FreeBSD.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::fs;
use std::io;
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;

use nix::errno::Errno;
use nix::mount::{MntFlags, Nmount, unmount as nix_unmount};

use super::{MemoryUse, few_processes_name};
use crate::containerd::{Entry, Userland};
use crate::sandbox::MARK;

/// Where file systems are mounted, the oldest first (getfsstat(2)).
pub(crate) fn mounts() -> Vec<PathBuf> {
    // SAFETY: without a buffer the kernel only counts.
    let count = unsafe { libc::getfsstat(ptr::null_mut(), 0, libc::MNT_NOWAIT) };
    let count = usize::try_from(count).expect("getfsstat(2)") + 16;
    let mut table: Vec<libc::statfs> = Vec::with_capacity(count);
    let length = (count * size_of::<libc::statfs>()).try_into().expect("a size");
    // SAFETY: the buffer is as long as we say.
    let count = unsafe { libc::getfsstat(table.as_mut_ptr(), length, libc::MNT_NOWAIT) };
    let count = usize::try_from(count).expect("getfsstat(2)");
    // SAFETY: the kernel has filled in that many.
    unsafe { table.set_len(count) };
    let on = |mount: &libc::statfs| {
        // SAFETY: the kernel ends the path with a NUL.
        let path = unsafe { CStr::from_ptr(mount.f_mntonname.as_ptr()) };
        PathBuf::from(OsStr::from_bytes(path.to_bytes()))
    };
    table.iter().map(on).collect()
}

/// Exchanges two files by their names, if both are there. For a moment the first one is missing.
pub fn exchange(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    let _ = fs::rename(one, &aside)
        .and_then(|()| fs::rename(other, one))
        .and_then(|()| fs::rename(aside, other));
}

/// Makes this process the parent of those of its descendants whose own has ended (procctl(2)).
pub(crate) fn become_reaper() -> io::Result<()> {
    let me = libc::id_t::from(std::process::id());
    // SAFETY: the command takes no argument.
    let result =
        unsafe { libc::procctl(libc::P_PID, me, libc::PROC_REAP_ACQUIRE, ptr::null_mut()) };
    Errno::result(result)?;
    Ok(())
}

/// Mounts a tmpfs of that many bytes (tmpfs(5)).
pub(crate) fn mount_tmpfs(path: &Path, bytes: usize) -> io::Result<()> {
    let size = CString::new(bytes.to_string())?;
    let mut tmpfs = Nmount::new();
    tmpfs.str_opt(c"fstype", c"tmpfs").str_opt_owned("fspath", path);
    tmpfs.str_opt(c"from", c"tmpfs").str_opt(c"size", &size).nmount(MntFlags::empty())?;
    Ok(())
}

/// Lets a tmpfs be read only, or written to again.
pub(crate) fn remount_tmpfs(path: &Path, read_only: bool) -> io::Result<()> {
    let mut tmpfs = Nmount::new();
    tmpfs.str_opt(c"fstype", c"tmpfs").str_opt_owned("fspath", path);
    tmpfs.str_opt(c"from", c"tmpfs").null_opt(if read_only { c"ro" } else { c"rw" });
    tmpfs.nmount(MntFlags::MNT_UPDATE)?;
    Ok(())
}

/// How many descriptors a process has open (`kern.proc.filedesc`; `kern.proc.nfds` is for oneself
/// alone).
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn descriptors(pid: i32) -> usize {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_FILEDESC, pid];
    let bytes: Vec<u8> = sysctl(mib).expect("its descriptors");
    // Behind size and type there is the descriptor, which is negative for what is none (the working
    // directory, the program).
    let descriptors = records(&bytes).filter_map(|record| int(record, 8));
    descriptors.filter(|&descriptor| descriptor >= 0).count()
}

/// Entries of different sizes, each of which begins with its size.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let size = usize::try_from(int(bytes, 0)?).expect("a size");
        let (record, rest) = bytes.split_at_checked(size).filter(|_| size > 0)?;
        bytes = rest;
        Some(record)
    })
}

/// The int that is in a structure at that place.
fn int(structure: &[u8], at: usize) -> Option<c_int> {
    let bytes = structure.get(at..at + 4)?;
    Some(c_int::from_ne_bytes(bytes.try_into().expect("4 bytes")))
}

/// How many bytes of memory a process has.
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn memory(pid: i32) -> usize {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid];
    let found: Vec<libc::kinfo_proc> = sysctl(mib).expect("the process");
    usize::try_from(found[0].ki_rssize).expect("a number") * PAGE
}

/// Bytes in a page, on the processors that there are programs for.
const PAGE: usize = 4096;

/// What a process has in memory (`kern.proc.pid`, and `kern.proc.vmmap` as procstat(1) shows it).
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn memory_use(pid: i32) -> MemoryUse {
    /// sys/user.h
    const KVME_PROT_WRITE: c_int = 2;
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_VMMAP, pid];
    let bytes: Vec<u8> = sysctl(mib).expect("its mappings");
    let writable = |record: &&[u8]| {
        let protection = int(record, offset_of!(libc::kinfo_vmentry, kve_protection));
        protection.is_some_and(|protection| protection & KVME_PROT_WRITE != 0)
    };
    let pages = records(&bytes).filter(writable).map(|record| {
        let resident = int(record, offset_of!(libc::kinfo_vmentry, kve_resident));
        resident.and_then(|pages| usize::try_from(pages).ok()).expect("a number")
    });
    let private = pages.sum::<usize>() * PAGE / 1024;
    MemoryUse { resident: memory(pid) / 1024, proportional: None, private }
}

/// Processes of which there may be only so many at once: a login class of their own (rctl(4)).
#[derive(Debug)]
pub struct FewProcesses {
    class: CString,
    rule: CString,
}

unsafe extern "C" {
    fn setloginclass(name: *const c_char) -> c_int;
    fn rctl_add_rule(rule: *const c_char, len: usize, out: *mut c_char, out_len: usize) -> c_int;
    fn rctl_remove_rule(rule: *const c_char, len: usize, out: *mut c_char, out_len: usize)
    -> c_int;
}

impl FewProcesses {
    /// None yet, with room for that many.
    ///
    /// # Panics
    ///
    /// When this host limits no processes.
    #[must_use]
    pub fn at_most(count: usize) -> Self {
        let class = few_processes_name();
        let rule = format!("loginclass:{class}:maxproc:deny={count}");
        let [class, rule] = [class, rule].map(|text| CString::new(text).expect("no NUL"));
        let length = rule.as_bytes_with_nul().len();
        // SAFETY: the rule is as long as we say, and there is no buffer for an answer.
        Errno::result(unsafe { rctl_add_rule(rule.as_ptr(), length, ptr::null_mut(), 0) })
            .expect("rctl_add_rule(2)");
        Self { class, rule }
    }

    /// Makes the command one of them.
    pub(crate) fn admit(&self, command: &mut Command) {
        let class = self.class.clone();
        // SAFETY: setloginclass(2) is async-signal-safe, and the closure allocates nothing.
        unsafe {
            command.pre_exec(move || {
                Errno::result(setloginclass(class.as_ptr()))?;
                Ok(())
            });
        }
    }
}

impl Drop for FewProcesses {
    fn drop(&mut self) {
        let length = self.rule.as_bytes_with_nul().len();
        // SAFETY: as when it was added.
        unsafe { rctl_remove_rule(self.rule.as_ptr(), length, ptr::null_mut(), 0) };
    }
}

/// Unmounts what is on that path.
pub(crate) fn unmount(path: &Path) -> io::Result<()> {
    nix_unmount(path, MntFlags::MNT_FORCE)?;
    Ok(())
}

/// The processes that have the sandbox at `path` as [`MARK`] in their environment.
#[must_use]
pub fn marked_processes(path: &Path) -> BTreeSet<i32> {
    let mark = [MARK.as_bytes(), b"=", path.as_os_str().as_bytes()].concat();
    let marked = |pid: &i32| {
        // One that has ended meanwhile has no environment, and neither has the kernel's own.
        let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ENV, *pid];
        let environment: Vec<u8> = sysctl(mib).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == mark)
    };
    let all = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PROC, 0];
    let table: Vec<libc::kinfo_proc> = sysctl(all).expect("the table of processes");
    table.iter().map(|process| process.ki_pid).filter(marked).collect()
}

/// The words of a process's command line, each ended by a NUL; nothing of one that has ended.
pub(crate) fn command_line(pid: i32) -> Vec<u8> {
    sysctl([libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ARGS, pid]).unwrap_or_default()
}

/// Whether a process is stopped, as by SIGSTOP.
#[must_use]
pub fn is_stopped(pid: i32) -> bool {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid];
    let found: Vec<libc::kinfo_proc> = sysctl(mib).unwrap_or_default();
    found.first().is_some_and(|process| process.ki_stat == libc::SSTOP)
}

/// What the tests call in containers.
const PROGRAMS: [&str; 15] = [
    "/bin/cat",
    "/bin/dd",
    "/bin/echo",
    "/bin/ls",
    "/bin/pwd",
    "/bin/sh",
    "/bin/sleep",
    "/bin/stty",
    "/sbin/ping",
    "/usr/bin/grep",
    "/usr/bin/nc",
    "/usr/bin/touch",
    "/usr/bin/tr",
    "/usr/bin/true",
    "/usr/bin/tty",
];

/// The program of all digests, which goes by the name that it is called by.
const DIGESTS: &str = "/sbin/md5";

/// FreeBSD's own programs and the libraries that they are linked with (ldd(1)).
pub(crate) fn userland() -> Result<Userland, &'static str> {
    let libraries = Command::new("ldd").args(["-f", "%p\\n"]).args(PROGRAMS).arg(DIGESTS).output();
    let libraries = String::from_utf8(libraries.expect("ldd").stdout).expect("paths");
    // One that the kernel gives to each process has a name and no path.
    let mut paths: Vec<_> = libraries.lines().filter(|path| path.starts_with('/')).collect();
    paths.extend(PROGRAMS);
    paths.extend(["/libexec/ld-elf.so.1", DIGESTS]);
    paths.sort_unstable();
    paths.dedup();
    let copy = |path: &str| (path[1..].into(), Entry::Copy(path.into()));
    let link = ("sbin/sha256sum".into(), Entry::Link(DIGESTS.into()));
    Ok(Userland(paths.into_iter().map(copy).chain([link]).collect()))
}

/// sysctl(3): a list of plain numbers and structures of such.
fn sysctl<T>(mib: [c_int; 4]) -> Result<Vec<T>, Errno> {
    loop {
        let mut length = 0;
        // SAFETY: without a buffer the kernel only says how much there is.
        Errno::result(unsafe {
            libc::sysctl(mib.as_ptr(), 4, ptr::null_mut(), &mut length, ptr::null(), 0)
        })?;
        let mut values: Vec<T> = Vec::with_capacity(length / size_of::<T>() + 4096);
        length = values.capacity() * size_of::<T>();
        let buffer = values.as_mut_ptr().cast();
        // SAFETY: the buffer is as long as we say.
        match Errno::result(unsafe {
            libc::sysctl(mib.as_ptr(), 4, buffer, &mut length, ptr::null(), 0)
        }) {
            Ok(_) => {
                // SAFETY: the kernel has filled in that much.
                unsafe { values.set_len(length / size_of::<T>()) };
                return Ok(values);
            }
            // More than a moment ago.
            Err(Errno::ENOMEM) => {}
            Err(errno) => return Err(errno),
        }
    }
}
