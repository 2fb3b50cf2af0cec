//! The Linux development host: what the emulation of jails needs (docs/development-host.md).

use std::fs;
use std::path::Path;

use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};
use nix::unistd::{AccessFlags, access};

use crate::verbs::doctor::finding::Finding;

pub(in crate::verbs::doctor) const ETC: &str = "/etc";
pub(in crate::verbs::doctor) const SHARE: &str = "/usr/share";
pub(in crate::verbs::doctor) const INSTALL_PACKAGE: &str = "apt-get install";

/// The capabilities that the emulation uses, by their numbers (capabilities(7)).
const CAPABILITIES: [(&str, u32); 4] =
    [("CAP_KILL", 5), ("CAP_SYS_CHROOT", 18), ("CAP_SYS_PTRACE", 19), ("CAP_SYS_ADMIN", 21)];

pub(super) fn findings() -> Vec<Finding> {
    vec![
        kernel(),
        Finding::lacks(
            "security",
            "jails are emulated on Linux and hold nothing in: root in one gets out. FreeBSD's do not",
        ),
        capabilities(),
        namespaces(),
        seccomp(),
        proc(),
        run(),
        cgroups(),
        file_systems(),
    ]
}

fn kernel() -> Finding {
    let release = read("/proc/sys/kernel/osrelease");
    let release = release.trim();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (5, 10) {
        Finding::fine("kernel", format!("Linux {release}"))
    } else {
        Finding::blocks("kernel", format!("Linux {release}; the emulation needs 5.10 or later"))
    }
}

fn capabilities() -> Finding {
    let status = read("/proc/self/status");
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    let missing: Vec<_> = CAPABILITIES
        .iter()
        .filter(|(_, number)| effective & (1 << number) == 0)
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return Finding::fine("capabilities", "all that the emulation needs");
    }
    let says = format!("without {}", missing.join(", "));
    if nix::unistd::geteuid().is_root() {
        Finding::blocks("capabilities", says)
    } else {
        Finding::lacks("capabilities", says)
    }
}

fn namespaces() -> Finding {
    let kinds = ["ipc", "net", "pid", "uts"];
    let missing: Vec<_> =
        kinds.into_iter().filter(|kind| !Path::new("/proc/self/ns").join(kind).exists()).collect();
    if missing.is_empty() {
        Finding::fine("namespaces", kinds.join(", "))
    } else {
        Finding::blocks("namespaces", format!("a kernel without {}", missing.join(", ")))
    }
}

fn seccomp() -> Finding {
    let actions = read("/proc/sys/kernel/seccomp/actions_avail");
    let has = |action: &str| actions.split_whitespace().any(|word| word == action);
    if !has("errno") {
        Finding::blocks("seccomp", "a kernel without filters (CONFIG_SECCOMP_FILTER)")
    } else if !has("user_notif") {
        Finding::lacks("seccomp", "no notification: no containers with addresses of their own")
    } else {
        Finding::fine("seccomp", "filters and their notification")
    }
}

fn proc() -> Finding {
    match statfs("/proc") {
        Ok(file_system) if file_system.filesystem_type() == PROC_SUPER_MAGIC => {
            Finding::fine("/proc", "procfs")
        }
        _ => Finding::blocks("/proc", "not a procfs").mended_by("mount -t proc proc /proc"),
    }
}

fn run() -> Finding {
    match access("/run", AccessFlags::W_OK) {
        Ok(()) => Finding::fine("/run", "can be written to"),
        Err(errno) if nix::unistd::geteuid().is_root() => {
            Finding::blocks("/run", format!("cannot be written to ({errno})"))
                .mended_by("mount -t tmpfs tmpfs /run")
        }
        Err(errno) => Finding::lacks("/run", format!("cannot be written to ({errno})")),
    }
}

fn cgroups() -> Finding {
    let v2 = read("/sys/fs/cgroup/cgroup.controllers");
    let has = |controller: &str| {
        v2.split_whitespace().any(|word| word == controller)
            || Path::new("/sys/fs/cgroup").join(controller).is_dir()
    };
    let (there, missing): (Vec<_>, Vec<_>) =
        ["cpu", "cpuset", "memory", "pids"].into_iter().partition(|controller| has(controller));
    if missing.is_empty() {
        Finding::fine("cgroups", there.join(", "))
    } else {
        let says = format!("no controller {}: no such limits", missing.join(", "));
        Finding::lacks("cgroups", says)
    }
}

/// nullfs is a bind mount here, devfs and fdescfs are made of it.
fn file_systems() -> Finding {
    let known = read("/proc/filesystems");
    let has = |name: &str| known.split_whitespace().any(|word| word == name);
    if has("tmpfs") {
        Finding::fine("file systems", "tmpfs; nullfs, devfs and fdescfs are emulated")
    } else {
        Finding::lacks("file systems", "a kernel without tmpfs")
    }
}

/// A file of the kernel's; what it does not have says nothing.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
