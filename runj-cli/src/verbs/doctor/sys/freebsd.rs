//! FreeBSD.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use nix::errno::Errno;
use sysctl::{Ctl, CtlValue, Sysctl as _};

use crate::verbs::doctor::finding::Finding;

pub(in crate::verbs::doctor) const ETC: &str = "/usr/local/etc";
pub(in crate::verbs::doctor) const SHARE: &str = "/usr/local/share";
pub(in crate::verbs::doctor) const INSTALL_PACKAGE: &str = "pkg install";

/// `kern.osreldate` of the oldest release that runj is tested with, 13.2.
const OLDEST: i64 = 1_302_000;

/// The file systems that a container usually asks for.
const FILE_SYSTEMS: [&str; 4] = ["nullfs", "devfs", "tmpfs", "fdescfs"];

pub(super) fn findings() -> Vec<Finding> {
    let jailed = number("security.jail.jailed") == Some(1);
    let mut findings = vec![kernel()];
    if jailed {
        findings.push(nesting());
        findings.push(mounting());
    }
    findings.push(inet("IPv4", "kern.features.inet"));
    findings.push(inet("IPv6", "kern.features.inet6"));
    findings.push(vimage());
    findings.push(addresses());
    findings.push(racct());
    findings.extend(FILE_SYSTEMS.map(|name| file_system(name, jailed)));
    // Inside a jail the rules are the host's to see to.
    if !jailed {
        findings.push(devfs_rules());
    }
    findings
}

fn kernel() -> Finding {
    let release = text("kern.osrelease").unwrap_or_default();
    let machine = text("hw.machine_arch").unwrap_or_default();
    let says = format!("FreeBSD {release}, {machine}");
    match number("kern.osreldate") {
        Some(date) if date >= OLDEST => Finding::fine("kernel", says),
        _ => Finding::lacks("kernel", format!("{says}; runj is made for 13.2 and later"))
            .mended_by("freebsd-update upgrade"),
    }
}

/// How many jails may be made inside the one that we are in (jail(8), `children.max`).
fn nesting() -> Finding {
    const SUBJECT: &str = "jails in this jail";
    let most = number("security.jail.children.max").unwrap_or(0);
    let now = number("security.jail.children.cur").unwrap_or(0);
    let remedy = "jail -m name=THIS_JAIL children.max=100    # on its host";
    match most {
        0 => Finding::blocks(SUBJECT, "none is allowed").mended_by(remedy),
        _ if now >= most => {
            Finding::blocks(SUBJECT, format!("all {most} that are allowed are there"))
                .mended_by(remedy)
        }
        _ => Finding::fine(SUBJECT, format!("{now} of {most}")),
    }
}

/// What the jail that we are in may mount: as its host it has to mount for containers.
fn mounting() -> Finding {
    const SUBJECT: &str = "mounts in this jail";
    let flags = FILE_SYSTEMS.map(|name| format!("mount_{name}_allowed"));
    let missing: Vec<_> = ["mount_allowed"]
        .into_iter()
        .chain(flags.iter().map(String::as_str))
        .filter(|flag| number(&format!("security.jail.{flag}")) != Some(1))
        .filter_map(|flag| flag.strip_suffix("_allowed"))
        .map(|flag| format!("allow.{}", flag.replacen('_', ".", 1)))
        .collect();
    let hidden = number("security.jail.enforce_statfs").is_some_and(|level| level > 1);
    if missing.is_empty() && !hidden {
        return Finding::fine(SUBJECT, FILE_SYSTEMS.join(", "));
    }
    let mut wanted = missing;
    if hidden {
        wanted.push("enforce_statfs=1".to_owned());
    }
    let wanted = wanted.join(" ");
    Finding::lacks(SUBJECT, "not all are allowed")
        .mended_by(format!("jail -m name=THIS_JAIL {wanted}    # on its host"))
}

fn inet(family: &'static str, feature: &str) -> Finding {
    match number(feature) {
        Some(1) => Finding::fine(family, "the kernel has it"),
        _ => Finding::lacks(family, "a kernel without it: its containers have none either"),
    }
}

fn vimage() -> Finding {
    match number("kern.features.vimage") {
        Some(1) => Finding::fine("VIMAGE", "containers can have network stacks of their own"),
        _ => Finding::lacks("VIMAGE", "a kernel without it: no network stacks of containers' own"),
    }
}

fn addresses() -> Finding {
    const SUBJECT: &str = "addresses";
    match number("security.jail.jail_max_af_ips") {
        Some(most) if most > 0 => {
            Finding::fine(SUBJECT, format!("at most {most} of each family for a container"))
        }
        // Newer kernels have no such bound.
        _ => Finding::fine(SUBJECT, "as many as a container wants"),
    }
}

/// Resource accounting, on which rctl(8)'s limits stand.
fn racct() -> Finding {
    const SUBJECT: &str = "resource limits";
    match number("kern.racct.enable") {
        Some(1) => Finding::fine(SUBJECT, "kern.racct.enable=1"),
        Some(_) => Finding::lacks(SUBJECT, "kern.racct.enable=0: none is enforced")
            .mended_by("echo kern.racct.enable=1 >>/boot/loader.conf    # and boot anew"),
        None => Finding::lacks(SUBJECT, "a kernel without RACCT: none is enforced"),
    }
}

fn file_system(name: &'static str, jailed: bool) -> Finding {
    let known = match Ctl::new("vfs.conflist").and_then(|list| list.value()) {
        Ok(CtlValue::Struct(list)) => has_file_system(&list, name),
        _ => false,
    };
    if known {
        return Finding::fine(name, "the kernel has it");
    }
    let module = text("kern.module_path")
        .unwrap_or_default()
        .split(';')
        .any(|directory| Path::new(directory).join(format!("{name}.ko")).is_file());
    if module && !jailed {
        Finding::fine(name, "the kernel loads it with the first mount")
    } else {
        Finding::lacks(name, "the kernel does not have it").mended_by(format!("kldload {name}"))
    }
}

/// Whether `vfs.conflist` has that file system: an array of `struct xvfsconf` (sys/mount.h), a
/// pointer, the name in 16 bytes, three ints and a pointer.
fn has_file_system(list: &[u8], name: &str) -> bool {
    const POINTER: usize = size_of::<usize>();
    const NAME: usize = 16;
    let entry = (POINTER + NAME + 3 * size_of::<i32>()).next_multiple_of(POINTER) + POINTER;
    list.chunks_exact(entry).any(|entry| {
        let field = &entry[POINTER..POINTER + NAME];
        field.split(|&byte| byte == 0).next() == Some(name.as_bytes())
    })
}

/// The rule set that hides the host's devices from containers. Without it, it is made empty by the
/// first mount that names it, and hides nothing.
fn devfs_rules() -> Finding {
    const SUBJECT: &str = "devfs rule set 4";
    match has_ruleset(4) {
        Ok(true) => Finding::fine(SUBJECT, "hides the host's devices from containers"),
        Ok(false) => Finding::lacks(SUBJECT, "not loaded: containers see every device of the host")
            .mended_by("sysrc devfs_load_rulesets=YES && service devfs restart"),
        Err(error) => Finding::lacks(SUBJECT, format!("cannot be looked at: {error}")),
    }
}

/// Whether devfs has the rule set of that number (`DEVFSIO_SGETNEXT`, fs/devfs/devfs.h).
fn has_ruleset(wanted: u16) -> io::Result<bool> {
    let devfs = File::open("/dev")?;
    // The next one after the one before.
    let mut number = wanted - 1;
    // SAFETY: the request reads and writes a devfs_rsnum, which is a u16.
    match unsafe { next_ruleset(devfs.as_raw_fd(), &raw mut number) } {
        Ok(_) => Ok(number == wanted),
        // There is none after it.
        Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

nix::ioctl_readwrite!(next_ruleset, b'D', 12, u16);

fn text(name: &str) -> Option<String> {
    Ctl::new(name).and_then(|control| control.value_string()).ok()
}

fn number(name: &str) -> Option<i64> {
    text(name)?.parse().ok()
}
