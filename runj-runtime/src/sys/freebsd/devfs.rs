//! The rules of a devfs (sys/fs/devfs/devfs.h).

use std::ffi::{c_char, c_int};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::MountRefusal;
use crate::mounts::devfs_rule::{DevfsRule, DeviceKind};

/// `DEVFS_MAXPTRNLEN`
const PATTERN: usize = 200;

/// `struct devfs_rule`
#[repr(C)]
struct RawRule {
    magic: u32,
    id: u32,
    icond: c_int,
    dswflags: c_int,
    pathptrn: [c_char; PATTERN],
    iacts: c_int,
    bacts: c_int,
    uid: libc::uid_t,
    gid: libc::gid_t,
    mode: libc::mode_t,
    incset: u16,
}

/// `DEVFS_MAGIC`
const MAGIC: u32 = 0xdb0a_087a;
const DRC_DSWFLAGS: c_int = 0x001;
const DRC_PATHPTRN: c_int = 0x002;
const DRA_BACTS: c_int = 0x001;
const DRA_UID: c_int = 0x002;
const DRA_GID: c_int = 0x004;
const DRA_MODE: c_int = 0x008;
const DRA_INCSET: c_int = 0x010;
const DRB_HIDE: c_int = 0x001;
const DRB_UNHIDE: c_int = 0x002;

/// The flag of `struct cdevsw` by which the kernel knows the kind (sys/conf.h).
fn flag(kind: DeviceKind) -> c_int {
    match kind {
        DeviceKind::Tape => 0x0001,
        DeviceKind::Disk => 0x0002,
        DeviceKind::Tty => 0x0004,
        DeviceKind::Mem => 0x0008,
    }
}

mod request {
    nix::ioctl_write_ptr! {
        /// `DEVFSIO_RAPPLY`: applies a rule to all nodes of the devfs that the descriptor is of.
        apply, b'D', 2, super::RawRule
    }
}

/// Applies a rule to the devfs of which `root` is the root, to what is there now, and to no other.
pub(crate) fn apply_rule(root: &OwnedFd, rule: &DevfsRule) -> Result<(), MountRefusal> {
    let mut raw = RawRule {
        magic: MAGIC,
        id: 0,
        icond: 0,
        dswflags: 0,
        pathptrn: [0; PATTERN],
        iacts: 0,
        bacts: 0,
        uid: 0,
        gid: 0,
        mode: 0,
        incset: 0,
    };
    if let Some(pattern) = &rule.path {
        raw.icond |= DRC_PATHPTRN;
        // The last byte stays the NUL.
        let mut room = raw.pathptrn[..PATTERN - 1].iter_mut();
        for byte in pattern.bytes() {
            *room.next().ok_or(Errno::ENAMETOOLONG)? = c_char::from_ne_bytes([byte]);
        }
    }
    for &kind in &rule.kinds {
        raw.icond |= DRC_DSWFLAGS;
        raw.dswflags |= flag(kind);
    }
    if let Some(visible) = rule.visible {
        raw.iacts |= DRA_BACTS;
        raw.bacts = if visible { DRB_UNHIDE } else { DRB_HIDE };
    }
    if let Some(uid) = rule.uid {
        raw.iacts |= DRA_UID;
        raw.uid = uid;
    }
    if let Some(gid) = rule.gid {
        raw.iacts |= DRA_GID;
        raw.gid = gid;
    }
    if let Some(mode) = rule.mode {
        raw.iacts |= DRA_MODE;
        raw.mode = mode;
    }
    if let Some(include) = rule.include {
        raw.iacts |= DRA_INCSET;
        raw.incset = include;
    }
    // A descriptor for paths alone takes no ioctl(2).
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let devfs = openat(root, ".", flags, Mode::empty())?;
    // SAFETY: the request reads a live `struct devfs_rule`.
    unsafe { request::apply(devfs.as_raw_fd(), &raw const raw) }.map_err(|errno| MountRefusal {
        errno,
        message: (errno == Errno::ESRCH).then(|| "the host has no rule set of that number".into()),
    })?;
    Ok(())
}
