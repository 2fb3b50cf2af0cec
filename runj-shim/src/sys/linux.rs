//! The Linux development host.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};

use super::Usage;

/// prctl(2), `PR_SET_CHILD_SUBREAPER`.
pub(crate) fn become_reaper() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Options that are flags of mount(2); what is not here goes to the file system.
const FLAGS: &[(&str, MsFlags, bool)] = &[
    ("async", MsFlags::MS_SYNCHRONOUS, false),
    ("atime", MsFlags::MS_NOATIME, false),
    ("bind", MsFlags::MS_BIND, true),
    ("defaults", MsFlags::empty(), true),
    ("dev", MsFlags::MS_NODEV, false),
    ("dirsync", MsFlags::MS_DIRSYNC, true),
    ("exec", MsFlags::MS_NOEXEC, false),
    ("noatime", MsFlags::MS_NOATIME, true),
    ("nodev", MsFlags::MS_NODEV, true),
    ("nodiratime", MsFlags::MS_NODIRATIME, true),
    ("noexec", MsFlags::MS_NOEXEC, true),
    ("nosuid", MsFlags::MS_NOSUID, true),
    ("rbind", MsFlags::MS_BIND.union(MsFlags::MS_REC), true),
    ("relatime", MsFlags::MS_RELATIME, true),
    ("ro", MsFlags::MS_RDONLY, true),
    ("rw", MsFlags::MS_RDONLY, false),
    ("strictatime", MsFlags::MS_STRICTATIME, true),
    ("suid", MsFlags::MS_NOSUID, false),
    ("sync", MsFlags::MS_SYNCHRONOUS, true),
];

/// Mounts what containerd asks for (mount(2)).
pub(crate) fn mount(
    fstype: &str,
    source: &str,
    options: &[String],
    on: &Path,
) -> Result<(), String> {
    let mut flags = MsFlags::empty();
    let mut data = Vec::new();
    for option in options {
        match FLAGS.iter().find(|(name, ..)| name == option) {
            Some((_, flag, true)) => flags.insert(*flag),
            Some((_, flag, false)) => flags.remove(*flag),
            None => data.push(option.as_str()),
        }
    }
    let data = data.join(",");
    let mount = |flags| {
        nix::mount::mount(Some(source), on, Some(fstype), flags, Some(data.as_str()))
            .map_err(|errno| errno.to_string())
    };
    mount(flags)?;
    // What a bind mount is to be beside bound takes another call.
    let beyond = flags - MsFlags::MS_BIND - MsFlags::MS_REC;
    if flags.contains(MsFlags::MS_BIND) && !beyond.is_empty() {
        mount(MsFlags::MS_BIND | MsFlags::MS_REMOUNT | beyond)?;
    }
    Ok(())
}

/// Unmounts everything that is mounted on exactly this path.
pub(crate) fn unmount(path: &Path) -> Result<(), Errno> {
    loop {
        match umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            // Nothing is, any more.
            Err(Errno::EINVAL | Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

/// What these processes use (proc_pid_stat(5)); those that have ended meanwhile use nothing.
pub(crate) fn usage(pids: &[i32]) -> io::Result<Usage> {
    let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
    let page = rustix::param::page_size() as u64;
    let mut usage = Usage::default();
    for pid in pids {
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // Behind the name, which may contain anything.
        let Some((_, fields)) = stat.rsplit_once(')') else { continue };
        let number = |index: usize| {
            fields.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok())
        };
        usage.user += number(11).unwrap_or_default() * tick;
        usage.kernel += number(12).unwrap_or_default() * tick;
        usage.resident += number(21).unwrap_or_default() * page;
    }
    Ok(usage)
}
