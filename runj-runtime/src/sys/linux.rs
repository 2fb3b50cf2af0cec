//! The Linux development host: FreeBSD's mounts and the like, by what Linux has in their place.

mod devfs;

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::fs;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::mount::{MntFlags, umount2};
use nix::sys::stat::{Mode, SFlag, fstat, makedev, mkdirat, mknodat};
use nix::unistd::{Gid, symlinkat};
use runj_jail::Jail;

use super::{MountId, MountRefusal, Mounted, NewMount};
use crate::error::whole;
use crate::mounts::FileSystem;
use crate::mounts::file_system::Attributes;

pub(crate) use devfs::apply_rule;

pub(super) type Resource = libc::__rlimit_resource_t;

/// `_NSIG` (asm/signal.h).
pub(super) const LAST_SIGNAL: c_int = 64;

/// getrlimit(2).
pub(super) const LIMITS: &[(&str, Resource)] = &[
    ("RLIMIT_AS", libc::RLIMIT_AS),
    ("RLIMIT_CORE", libc::RLIMIT_CORE),
    ("RLIMIT_CPU", libc::RLIMIT_CPU),
    ("RLIMIT_DATA", libc::RLIMIT_DATA),
    ("RLIMIT_FSIZE", libc::RLIMIT_FSIZE),
    ("RLIMIT_LOCKS", libc::RLIMIT_LOCKS),
    ("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK),
    ("RLIMIT_MSGQUEUE", libc::RLIMIT_MSGQUEUE),
    ("RLIMIT_NICE", libc::RLIMIT_NICE),
    ("RLIMIT_NOFILE", libc::RLIMIT_NOFILE),
    ("RLIMIT_NPROC", libc::RLIMIT_NPROC),
    ("RLIMIT_RSS", libc::RLIMIT_RSS),
    ("RLIMIT_RTPRIO", libc::RLIMIT_RTPRIO),
    ("RLIMIT_RTTIME", libc::RLIMIT_RTTIME),
    ("RLIMIT_SIGPENDING", libc::RLIMIT_SIGPENDING),
    ("RLIMIT_STACK", libc::RLIMIT_STACK),
];

/// The groups for setgroups(2), which do not include the group itself.
pub(crate) fn group_list(_gid: u32, additional: &[u32]) -> Vec<Gid> {
    additional.iter().copied().map(Gid::from_raw).collect()
}

/// prctl(2), `PR_SET_NO_NEW_PRIVS`.
pub(super) fn no_new_privileges() -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).map(drop)
}

/// close_range(2).
///
/// # Safety
///
/// Nothing may use the descriptors afterwards.
pub(super) unsafe fn close_range(first: u32, last: u32) -> c_int {
    // SAFETY: the caller's promise. The raw call, as not every C library has a function for it.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result == 0 { 0 } else { -1 }
}

/// Marks every descriptor from `first` on close-on-exec (close_range(2)).
pub(super) fn close_on_exec_from(first: u32) -> c_int {
    // SAFETY: takes no pointer and closes nothing yet.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result == 0 { 0 } else { -1 }
}

/// The way to `directory` through a descriptor, short enough for any socket.
pub(super) fn socket_prefix(directory: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}/", directory.as_raw_fd())
}

pub(super) fn bind_at(
    _directory: BorrowedFd<'_>,
    socket: RawFd,
    address: &libc::sockaddr_un,
    length: libc::socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the address is live and as long as said.
    Errno::result(unsafe { libc::bind(socket, ptr::from_ref(address).cast(), length) }).map(drop)
}

pub(super) fn connect_at(
    _directory: BorrowedFd<'_>,
    socket: RawFd,
    address: &libc::sockaddr_un,
    length: libc::socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the address is live and as long as said.
    Errno::result(unsafe { libc::connect(socket, ptr::from_ref(address).cast(), length) }).map(drop)
}

/// Whether a single file can be mounted.
pub(crate) const MOUNTS_FILES: bool = true;

/// Mounts what stands for the FreeBSD file system, right on what `target` holds open.
pub(crate) fn mount(
    file_system: &FileSystem,
    target: &OwnedFd,
    jail: Option<Jail>,
) -> Result<NewMount, MountRefusal> {
    let tree = match file_system.fstype.as_str() {
        "nullfs" => clone_tree(&file_system.from)?,
        "tmpfs" => new_file_system(c"tmpfs", &tmpfs_options(file_system, target)?)?,
        "devfs" | "fdescfs" => new_file_system(c"tmpfs", &[option("mode", "755")])?,
        "procfs" => procfs(jail)?,
        _ => {
            return Err(MountRefusal {
                errno: Errno::ENODEV,
                message: Some(
                    "the development host has nullfs, tmpfs, devfs, fdescfs and procfs".into(),
                ),
            });
        }
    };
    // What goes on top of it, and where.
    let inside = match file_system.fstype.as_str() {
        "devfs" => Some((fill_dev(&tree)?, clone_tree(Path::new("/dev/pts"))?)),
        "fdescfs" => Some((fill_fd(&tree)?, procfs(jail)?)),
        _ => None,
    };
    set_attributes(&tree, file_system.attributes)?;
    attach(&tree, target)?;
    if let Some((place, other)) = inside {
        attach(&other, &place)?;
    }
    Ok(NewMount { id: mount_of(&tree)?, root: tree })
}

/// Makes a mounted file system read-only.
pub(crate) fn make_read_only(
    mount: &NewMount,
    file_system: &FileSystem,
) -> Result<(), MountRefusal> {
    Ok(set_attributes(&mount.root, file_system.attributes)?)
}

type MountOption = (String, Option<String>);

fn option(name: &str, value: &str) -> MountOption {
    (name.to_owned(), Some(value.to_owned()))
}

/// tmpfs(5)'s options by Linux's names. Its owner and mode are those of what it covers, as on
/// FreeBSD, unless they are given.
fn tmpfs_options(file_system: &FileSystem, covered: &OwnedFd) -> Result<Vec<MountOption>, Errno> {
    let covered = fstat(covered)?;
    let mode = format!("{:o}", covered.st_mode & 0o7777);
    let mut options: Vec<MountOption> = vec![
        option("mode", &mode),
        option("uid", &covered.st_uid.to_string()),
        option("gid", &covered.st_gid.to_string()),
    ];
    options.retain(|(name, _)| file_system.options.iter().all(|(given, _)| given != name));
    options.extend(file_system.options.iter().map(|(name, value)| {
        let name = if name == "inodes" { "nr_inodes" } else { name };
        (name.to_owned(), value.clone())
    }));
    Ok(options)
}

/// A /dev with the devices that FreeBSD's rule set for jails leaves visible; the place for the
/// terminals in it is returned.
fn fill_dev(tree: &OwnedFd) -> Result<OwnedFd, Errno> {
    const DEVICES: &[(&str, u64, u64)] =
        &[("null", 1, 3), ("zero", 1, 5), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
    let all = Mode::from_bits_truncate(0o666);
    for &(name, major, minor) in DEVICES {
        mknodat(tree, name, SFlag::S_IFCHR, all, makedev(major, minor))?;
        // Whatever the caller's umask is.
        nix::sys::stat::fchmodat(tree, name, all, nix::sys::stat::FchmodatFlags::FollowSymlink)?;
    }
    for name in ["fd", "pts"] {
        mkdirat(tree, name, Mode::from_bits_truncate(0o755))?;
    }
    symlinkat("pts/ptmx", tree, "ptmx")?;
    for (number, name) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
        symlinkat(format!("fd/{number}").as_str(), tree, name)?;
    }
    openat(tree, "pts", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())
}

/// A directory whose entries lead to the descriptors of whoever looks, through a process file
/// system inside of it; the place for that is returned.
fn fill_fd(tree: &OwnedFd) -> Result<OwnedFd, Errno> {
    const DESCRIPTORS: usize = 64;
    mkdirat(tree, ".proc", Mode::from_bits_truncate(0o755))?;
    for number in 0..DESCRIPTORS {
        let name = number.to_string();
        symlinkat(format!(".proc/self/fd/{name}").as_str(), tree, name.as_str())?;
    }
    openat(tree, ".proc", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())
}

/// A process file system that shows the jail's processes.
fn procfs(jail: Option<Jail>) -> Result<OwnedFd, MountRefusal> {
    match jail {
        None => Ok(new_file_system(c"proc", &[])?),
        Some(jail) => runj_jail::host::procfs(jail).map_err(|error| MountRefusal {
            errno: error.errno().unwrap_or(Errno::EIO),
            message: Some(whole(&error)),
        }),
    }
}

/// fsopen(2), fsconfig(2), fsmount(2): a new file system that is mounted nowhere yet.
fn new_file_system(fstype: &CStr, options: &[MountOption]) -> Result<OwnedFd, Errno> {
    // include/uapi/linux/mount.h
    const FSOPEN_CLOEXEC: c_int = 1;
    const FSCONFIG_SET_FLAG: c_int = 0;
    const FSCONFIG_SET_STRING: c_int = 1;
    const FSCONFIG_CMD_CREATE: c_int = 6;
    const FSMOUNT_CLOEXEC: c_int = 1;
    let nothing = ptr::null::<c_void>();
    // SAFETY: the pointer is to a live C string.
    let context =
        new_fd(unsafe { libc::syscall(libc::SYS_fsopen, fstype.as_ptr(), FSOPEN_CLOEXEC) })?;
    let raw = context.as_raw_fd();
    for (name, value) in options {
        let name = CString::new(name.as_str()).map_err(|_| Errno::EINVAL)?;
        let value = value.as_deref().map(CString::new).transpose().map_err(|_| Errno::EINVAL)?;
        let (command, pointer) = match &value {
            Some(value) => (FSCONFIG_SET_STRING, value.as_ptr().cast::<c_void>()),
            None => (FSCONFIG_SET_FLAG, nothing),
        };
        // SAFETY: the pointers are to live C strings, or null where none is taken.
        check(unsafe {
            libc::syscall(libc::SYS_fsconfig, raw, command, name.as_ptr(), pointer, 0)
        })?;
    }
    // SAFETY: the command takes neither name nor value.
    check(unsafe {
        libc::syscall(libc::SYS_fsconfig, raw, FSCONFIG_CMD_CREATE, nothing, nothing, 0)
    })?;
    // SAFETY: takes no pointer.
    new_fd(unsafe { libc::syscall(libc::SYS_fsmount, raw, FSMOUNT_CLOEXEC, 0) })
}

/// open_tree(2): a view of `source` that is mounted nowhere yet.
fn clone_tree(source: &Path) -> Result<OwnedFd, Errno> {
    const OPEN_TREE_CLONE: c_int = 1;
    let source = CString::new(source.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the pointer is to a live C string.
    new_fd(unsafe {
        libc::syscall(
            libc::SYS_open_tree,
            libc::AT_FDCWD,
            source.as_ptr(),
            OPEN_TREE_CLONE | libc::O_CLOEXEC,
        )
    })
}

/// move_mount(2): mounts `tree` on `target`.
fn attach(tree: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
    const MOVE_MOUNT_F_EMPTY_PATH: c_int = 0x04;
    const MOVE_MOUNT_T_EMPTY_PATH: c_int = 0x40;
    // SAFETY: the pointers are to live C strings.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            target.as_raw_fd(),
            c"".as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        )
    })
}

/// mount_setattr(2).
fn set_attributes(tree: &OwnedFd, attributes: Attributes) -> Result<(), Errno> {
    let bits = [
        (attributes.read_only, libc::MOUNT_ATTR_RDONLY),
        (attributes.nosuid, libc::MOUNT_ATTR_NOSUID),
        (attributes.noexec, libc::MOUNT_ATTR_NOEXEC),
        (attributes.nodev, libc::MOUNT_ATTR_NODEV),
        (attributes.noatime, libc::MOUNT_ATTR_NOATIME),
        (attributes.nosymfollow, libc::MOUNT_ATTR_NOSYMFOLLOW),
    ];
    let set = bits.iter().filter(|(on, _)| *on).fold(0, |set, (_, bit)| set | bit);
    let clear = if attributes.noatime { libc::MOUNT_ATTR__ATIME } else { 0 };
    let request = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    // SAFETY: the pointers are to a live C string and a live mount_attr of that size.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const request,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// The mount that a descriptor is of: the number by which mountinfo tells it (statx(2)).
pub(crate) fn mount_of(fd: &OwnedFd) -> Result<MountId, Errno> {
    let mut file = std::mem::MaybeUninit::<libc::statx>::uninit();
    // SAFETY: the pointers are to a C string and to room for a statx.
    Errno::result(unsafe {
        libc::statx(
            fd.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_MNT_ID,
            file.as_mut_ptr(),
        )
    })?;
    // SAFETY: statx(2) has filled it in.
    let file = unsafe { file.assume_init() };
    // Kernels before 5.8 do not tell.
    if file.stx_mask & libc::STATX_MNT_ID == 0 {
        Err(Errno::ENOSYS)
    } else {
        Ok(MountId(file.stx_mnt_id))
    }
}

/// What is mounted, oldest first.
pub(crate) fn mounted() -> Result<Vec<Mounted>, Errno> {
    let table = fs::read("/proc/self/mountinfo").map_err(|error| errno_of(&error))?;
    Ok(table.split(|&b| b == b'\n').filter_map(mount_line).collect())
}

/// Unmounts a file system. One that is gone is well.
///
/// Linux unmounts by a path, which may have become another one since the table was read.
pub(crate) fn unmount(mount: &Mounted) -> Result<(), Errno> {
    /// How often it is looked for.
    const LOOKS: u32 = 100;
    let mut path = mount.path.clone();
    for _ in 0..LOOKS {
        match umount2(&path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Err(Errno::EINVAL | Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
            result => return result,
        }
        match mounted()?.into_iter().find(|other| other.id == mount.id) {
            Some(other) => path = other.path,
            None => return Ok(()),
        }
    }
    Err(Errno::EBUSY)
}

/// The boot's id (random(4)).
pub(super) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Linux tells a login by other means, which a container has not.
pub(super) fn forget_login() {}

/// A line of mountinfo (proc_pid_mountinfo(5)).
fn mount_line(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|&b| b == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some(Mounted { id: MountId(id), path: unescaped(fields.nth(3)?) })
}

/// A path with its octal escapes undone.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match escaped {
            Some(byte) => {
                path.push(byte);
                rest = &after[3..];
            }
            None => {
                path.push(byte);
                rest = after;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(path))
}

fn errno_of(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

fn check(result: c_long) -> Result<(), Errno> {
    Errno::result(result).map(drop)
}

fn new_fd(result: c_long) -> Result<OwnedFd, Errno> {
    let fd = RawFd::try_from(Errno::result(result)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_with_their_escapes() {
        let line = br"36 35 98:0 /mnt1 /a\040b\134c rw,noatime master:1 - ext3 /dev/root rw";
        let mount = mount_line(line).unwrap();
        assert_eq!(mount.id, MountId(36));
        assert_eq!(mount.path, Path::new(r"/a b\c"));
        assert!(mount_line(b"").is_none());
    }
}
