//! The machine, and a corner of it for the benchmark.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bench_report::Machine;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Describes the machine.
pub(crate) fn machine() -> Result<Machine> {
    let name = nix::sys::utsname::uname()?;
    let part = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let system = [name.sysname(), name.release(), name.machine()].map(part).join(" ");
    Ok(Machine {
        system,
        processor: processor()?,
        processors: std::thread::available_parallelism()?.get(),
        memory_mib: memory()? >> 20,
        load: load(),
    })
}

#[cfg(target_os = "linux")]
fn processor() -> Result<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").context("/proc/cpuinfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(line.map_or("unknown", |(_, name)| name).to_owned())
}

#[cfg(target_os = "linux")]
fn memory() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").context("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes: u64 = line.context("MemTotal")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes << 10)
}

#[cfg(target_os = "linux")]
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(target_os = "freebsd")]
fn processor() -> Result<String> {
    use sysctl::Sysctl as _;
    Ok(sysctl::Ctl::new("hw.model")?.value_string()?)
}

#[cfg(target_os = "freebsd")]
fn memory() -> Result<u64> {
    use sysctl::Sysctl as _;
    sysctl::Ctl::new("hw.physmem")?.value_string()?.parse().context("hw.physmem")
}

#[cfg(target_os = "freebsd")]
fn load() -> Option<f64> {
    // The sysctl is a structure whose meaning only the C library knows.
    None
}

/// Goes into a mount namespace of its own, with a /run of its own: what others do with jails and
/// mounts on this machine is not what is to be measured, and ends with the benchmark.
#[cfg(target_os = "linux")]
pub(crate) fn retreat() -> Result<()> {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(2)")?;
    let (none, flags) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    mount(none, "/", none, flags, none).context("making mounts private")?;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none).context("/run")?;
    // crun does not run where there are both cgroups of version 1 and the hierarchy of version 2.
    let _ = nix::mount::umount("/sys/fs/cgroup/unified");
    Ok(())
}

/// FreeBSD has one table of mounts.
#[cfg(target_os = "freebsd")]
pub(crate) fn retreat() -> Result<()> {
    Ok(())
}

/// Becomes the parent of all processes that runtimes leave, as engines are: whoever else it would
/// be may take his time to collect them, and until then a pid namespace is not gone.
#[cfg(target_os = "linux")]
pub(crate) fn adopt() -> Result<()> {
    nix::sys::prctl::set_child_subreaper(true).context("prctl(2)")
}

/// The same (procctl(2), `PROC_REAP_ACQUIRE`).
#[cfg(target_os = "freebsd")]
pub(crate) fn adopt() -> Result<()> {
    rustix::process::set_reaper_status(true).context("procctl(2)")
}

/// Collects a container's process that has ended.
pub(crate) fn collect(pid: i32) {
    // One that is not ours has been collected by another.
    let _ = waitpid(Pid::from_raw(pid), None);
}

/// Collects all that have ended. Nobody else may wait for a child at that time.
pub(crate) fn collect_all() {
    let flags = Some(WaitPidFlag::WNOHANG);
    while matches!(waitpid(None, flags), Ok(status) if status != WaitStatus::StillAlive) {}
}

/// How long a processor has worked for children that were collected, and for theirs.
pub(crate) fn children_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(time.num_microseconds())?))
}

/// Where the state of all runtimes is, each in a directory of its own: where theirs is by default.
pub(crate) fn state_parent() -> Result<TempDir> {
    let run = Path::new("/var/run").canonicalize().context("/var/run")?;
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(run)?)
}
