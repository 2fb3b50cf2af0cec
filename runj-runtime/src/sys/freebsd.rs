//! FreeBSD.

mod devfs;

use std::ffi::{CStr, CString, OsStr, c_int};
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::mount::{MntFlags, Nmount};
use nix::unistd::{Gid, fchdir};
use runj_jail::Jail;

use super::{MountId, MountRefusal, Mounted, NewMount};
use crate::beneath::open_root;
use crate::mounts::FileSystem;

pub(crate) use devfs::apply_rule;

pub(super) type Resource = c_int;

/// `_SIG_MAXSIG` (sys/_sigset.h).
pub(super) const LAST_SIGNAL: c_int = 128;

/// getrlimit(2).
pub(super) const LIMITS: &[(&str, Resource)] = &[
    ("RLIMIT_AS", libc::RLIMIT_AS),
    ("RLIMIT_CORE", libc::RLIMIT_CORE),
    ("RLIMIT_CPU", libc::RLIMIT_CPU),
    ("RLIMIT_DATA", libc::RLIMIT_DATA),
    ("RLIMIT_FSIZE", libc::RLIMIT_FSIZE),
    ("RLIMIT_KQUEUES", libc::RLIMIT_KQUEUES),
    ("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK),
    ("RLIMIT_NOFILE", libc::RLIMIT_NOFILE),
    ("RLIMIT_NPROC", libc::RLIMIT_NPROC),
    ("RLIMIT_NPTS", libc::RLIMIT_NPTS),
    // An old name (sys/resource.h).
    ("RLIMIT_OFILE", libc::RLIMIT_NOFILE),
    ("RLIMIT_PIPEBUF", RLIMIT_PIPEBUF),
    ("RLIMIT_RSS", libc::RLIMIT_RSS),
    ("RLIMIT_SBSIZE", libc::RLIMIT_SBSIZE),
    ("RLIMIT_STACK", libc::RLIMIT_STACK),
    ("RLIMIT_SWAP", libc::RLIMIT_SWAP),
    ("RLIMIT_UMTXP", libc::RLIMIT_UMTXP),
    ("RLIMIT_VMEM", libc::RLIMIT_VMEM),
    ("RLIMIT_VMM", RLIMIT_VMM),
];

// Of later kernels; libc does not have them (sys/resource.h of FreeBSD 15).
const RLIMIT_PIPEBUF: Resource = 15;
const RLIMIT_VMM: Resource = 16;

/// The groups for setgroups(2), whose first one is the effective group (before FreeBSD 15).
pub(crate) fn group_list(gid: u32, additional: &[u32]) -> Vec<Gid> {
    [gid].iter().chain(additional).copied().map(Gid::from_raw).collect()
}

/// procctl(2), `PROC_NO_NEW_PRIVS_CTL`; libc does not have the numbers of sys/procctl.h.
pub(super) fn no_new_privileges() -> Result<(), Errno> {
    const PROC_NO_NEW_PRIVS_CTL: c_int = 19;
    const PROC_NO_NEW_PRIVS_ENABLE: c_int = 1;
    let mut enable = PROC_NO_NEW_PRIVS_ENABLE;
    // SAFETY: the command reads an int. Process 0 of P_PID is the caller.
    Errno::result(unsafe {
        libc::procctl(libc::P_PID, 0, PROC_NO_NEW_PRIVS_CTL, (&raw mut enable).cast())
    })
    .map(drop)
}

/// close_range(2).
///
/// # Safety
///
/// Nothing may use the descriptors afterwards.
pub(super) unsafe fn close_range(first: u32, last: u32) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libc::close_range(first, last, 0) }
}

/// Marks every descriptor from `first` on close-on-exec (close_range(2)).
pub(super) fn close_on_exec_from(first: u32) -> c_int {
    // SAFETY: takes no pointer and closes nothing yet.
    unsafe { libc::close_range(first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC.cast_signed()) }
}

/// bindat(2) and connectat(2) name a socket relative to a directory.
pub(super) fn socket_prefix(_directory: BorrowedFd<'_>) -> String {
    String::new()
}

pub(super) fn bind_at(
    directory: BorrowedFd<'_>,
    socket: RawFd,
    address: &libc::sockaddr_un,
    length: libc::socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the address is live and as long as said.
    Errno::result(unsafe {
        bindat(directory.as_raw_fd(), socket, ptr::from_ref(address).cast(), length)
    })
    .map(drop)
}

pub(super) fn connect_at(
    directory: BorrowedFd<'_>,
    socket: RawFd,
    address: &libc::sockaddr_un,
    length: libc::socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the address is live and as long as said.
    Errno::result(unsafe {
        connectat(directory.as_raw_fd(), socket, ptr::from_ref(address).cast(), length)
    })
    .map(drop)
}

// sys/socket.h and unistd.h; libc does not have them.
unsafe extern "C" {
    fn bindat(fd: c_int, s: c_int, addr: *const libc::sockaddr, len: libc::socklen_t) -> c_int;
    fn setlogin(name: *const libc::c_char) -> c_int;
    fn connectat(fd: c_int, s: c_int, addr: *const libc::sockaddr, len: libc::socklen_t) -> c_int;
}

/// Does not show a mount in df(1) unless asked for (sys/mount.h); nix does not have it.
const MNT_IGNORE: c_int = 0x0080_0000;
const _: () = assert!(MNT_IGNORE.cast_unsigned() as u64 == libc::MNT_IGNORE);

/// Whether a single file can be mounted. Some kernels panic at a nullfs over a file (13.2), and
/// none says that it does not.
pub(crate) const MOUNTS_FILES: bool = false;

/// Mounts with nmount(2) right on the directory that `target` holds open.
///
/// nmount(2) takes a path only. So the process goes into the directory, mounts on `.` and comes back:
/// nothing is looked up a second time.
pub(crate) fn mount(
    file_system: &FileSystem,
    target: &OwnedFd,
    _jail: Option<Jail>,
) -> Result<NewMount, MountRefusal> {
    nmount(file_system, target, false)
}

/// Makes a mounted file system read-only.
pub(crate) fn make_read_only(
    mount: &NewMount,
    file_system: &FileSystem,
) -> Result<(), MountRefusal> {
    nmount(file_system, &mount.root, true).map(drop)
}

/// nmount(2) on the directory itself, or an update of the file system that it is the root of.
fn nmount(
    file_system: &FileSystem,
    target: &OwnedFd,
    update: bool,
) -> Result<NewMount, MountRefusal> {
    let text = |text: &[u8]| CString::new(text).map_err(|_| Errno::EINVAL);
    let fstype = text(file_system.fstype.as_bytes())?;
    let from = text(file_system.from.as_os_str().as_bytes())?;
    let options = file_system
        .options
        .iter()
        .map(|(name, value)| {
            let value = value.as_deref().map(|value| text(value.as_bytes())).transpose()?;
            Ok((text(name.as_bytes())?, value))
        })
        .collect::<Result<Vec<_>, Errno>>()?;

    let mut request = Nmount::new();
    request.str_opt(c"fstype", &fstype).str_opt(c"fspath", c".").str_opt(c"from", &from);
    // An update is told what changes, and tmpfs wants to hear this one by name.
    if update {
        request.null_opt(c"ro");
    }
    for (name, value) in options.iter().filter(|_| !update) {
        match value {
            Some(value) => request.str_opt(name, value),
            None => request.null_opt(name),
        };
    }
    let mut flags = MntFlags::from_bits_retain(MNT_IGNORE);
    let attributes = file_system.attributes;
    flags.set(MntFlags::MNT_UPDATE, update);
    flags.set(MntFlags::MNT_RDONLY, attributes.read_only);
    flags.set(MntFlags::MNT_NOSUID, attributes.nosuid);
    flags.set(MntFlags::MNT_NOEXEC, attributes.noexec);
    flags.set(MntFlags::MNT_NOATIME, attributes.noatime);
    flags.set(MntFlags::MNT_NOSYMFOLLOW, attributes.nosymfollow);

    let _there = WorkingDirectory::change(target)?;
    request.nmount(flags).map_err(|refusal| MountRefusal {
        errno: refusal.error(),
        message: refusal.errmsg().map(str::to_owned),
    })?;
    // A look-up of the directory itself goes on to what is mounted on it.
    let root = open_root(Path::new("."))?;
    Ok(NewMount { id: mount_of(&root)?, root })
}

/// The process's working directory, changed for as long as this lives. No two threads that do so get
/// in each other's way.
struct WorkingDirectory {
    before: OwnedFd,
    _alone: MutexGuard<'static, ()>,
}

impl WorkingDirectory {
    fn change(to: &OwnedFd) -> Result<Self, Errno> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // The one that a process was started in may be gone, and then there is none to come back to.
        let before = open_root(Path::new(".")).or_else(|_| open_root(Path::new("/")))?;
        fchdir(to)?;
        Ok(Self { before, _alone: alone })
    }
}

impl Drop for WorkingDirectory {
    fn drop(&mut self) {
        // It could be changed to before, and is held open since.
        let _ = fchdir(&self.before);
    }
}

/// The file system's identity, an fsid.
fn id_of(mount: &libc::statfs) -> MountId {
    // SAFETY: an fsid is two ints.
    let bytes: [u8; 8] = unsafe { std::mem::transmute(mount.f_fsid) };
    MountId(u64::from_ne_bytes(bytes))
}

/// The file system that a descriptor is of (fstatfs(2)).
pub(crate) fn mount_of(fd: &OwnedFd) -> Result<MountId, Errno> {
    let mut mount = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the pointer is to room for a statfs.
    Errno::result(unsafe { libc::fstatfs(fd.as_raw_fd(), mount.as_mut_ptr()) })?;
    // SAFETY: fstatfs(2) has filled it in.
    Ok(id_of(unsafe { mount.assume_init_ref() }))
}

/// What is mounted, oldest first.
pub(crate) fn mounted() -> Result<Vec<Mounted>, Errno> {
    let table = mount_table()?;
    Ok(table
        .iter()
        .map(|mount| {
            // SAFETY: the kernel ends the name with a NUL.
            let name = unsafe { CStr::from_ptr(mount.f_mntonname.as_ptr()) };
            let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
            Mounted { id: id_of(mount), path }
        })
        .collect())
}

/// Unmounts a file system by its identity: nothing is looked up. One that is gone is well.
///
/// What keeps it busy may be the kernel alone, which holds the root of a dying jail: then it is
/// forced.
pub(crate) fn unmount(mount: &Mounted) -> Result<(), Errno> {
    let [a, b, c, d, e, f, g, h] = mount.id.0.to_ne_bytes();
    let ints = [[a, b, c, d], [e, f, g, h]].map(i32::from_ne_bytes);
    let text = format!("FSID:{}:{}", ints[0], ints[1]);
    let unmount = |flags| nix::mount::unmount(text.as_str(), MntFlags::MNT_BYFSID | flags);
    let result = match unmount(MntFlags::empty()) {
        Err(Errno::EBUSY) => unmount(MntFlags::MNT_FORCE),
        result => result,
    };
    match result {
        Err(Errno::ENOENT) => Ok(()),
        result => result,
    }
}

/// The sysctl `kern.boot_id`, sixteen random bytes, in hexadecimal. Not there before FreeBSD 13.
pub(super) fn boot_id() -> String {
    let mut id = [0u8; 16];
    let mut length = id.len();
    // In one call: the crate sysctl, which asks for type and size before, takes four.
    // SAFETY: the name is a C string, and the buffer is as long as `length` says.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.boot_id".as_ptr(),
            id.as_mut_ptr().cast(),
            &raw mut length,
            ptr::null(),
            0,
        )
    };
    match Errno::result(result) {
        Ok(_) => id.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => String::new(),
    }
}

/// Forgets whose session ours was made from: setsid(2) keeps the name that getlogin(2) tells.
pub(super) fn forget_login() {
    // SAFETY: the pointer is to a C string. It fails for nobody but root, who then keeps a name.
    unsafe { setlogin(c"".as_ptr()) };
}

/// getfsstat(2): what is mounted, oldest first.
fn mount_table() -> Result<Vec<libc::statfs>, Errno> {
    let mut table: Vec<libc::statfs> = Vec::new();
    loop {
        // SAFETY: without a buffer the kernel only counts.
        let count =
            Errno::result(unsafe { libc::getfsstat(ptr::null_mut(), 0, libc::MNT_NOWAIT) })?;
        // Room for a few more than there were a moment ago.
        let room = usize::try_from(count).map_err(|_| Errno::EIO)? + 8;
        table.clear();
        table.reserve(room);
        let size = room * size_of::<libc::statfs>();
        // SAFETY: the vector has that much spare room.
        let count = Errno::result(unsafe {
            libc::getfsstat(
                table.as_mut_ptr(),
                libc::c_long::try_from(size).map_err(|_| Errno::ENOMEM)?,
                libc::MNT_NOWAIT,
            )
        })?;
        let count = usize::try_from(count).map_err(|_| Errno::EIO)?;
        if count < room {
            // SAFETY: the kernel filled in that many.
            unsafe { table.set_len(count) };
            return Ok(table);
        }
    }
}
