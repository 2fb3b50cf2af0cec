//! Linux: a jail is what runj's development host emulates it with, and no more: a process that
//! holds a pid, a uts and an ipc namespace, three mounts, and a seccomp filter for who enters.
//! Its number is the pid of that process.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::ptr;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{chdir, chroot, mkdir, pause, symlinkat};

use super::Forked;

/// The namespaces of a jail.
fn namespaces() -> CloneFlags {
    CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC
}

/// The mount points, in the order in which they are mounted on.
const MOUNT_POINTS: [&str; 3] = ["dev", "proc", "tmp"];

/// The devices of a container: the name, and the major and minor number.
const DEVICES: [(&str, u64, u64); 5] =
    [("null", 1, 3), ("zero", 1, 5), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Makes the jail and what is mounted in it.
pub(crate) fn create(root: &Path, _name: &str) -> io::Result<i32> {
    let (mut done, tell) = io::pipe()?;
    let flags = i64::from(namespaces().bits() | libc::SIGCHLD);
    // SAFETY: without a stack it is fork(2), and this program has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if Errno::result(pid)? == 0 {
        drop(done);
        // In here, since a procfs shows the processes of whoever mounts it.
        if mount_all(root).is_ok() {
            let _ = nix::unistd::write(&tell, &[0]);
        }
        drop(tell);
        loop {
            pause();
        }
    }
    drop(tell);
    done.read_exact(&mut [0])?;
    i32::try_from(pid).map_err(io::Error::other)
}

fn mount_all(root: &Path) -> nix::Result<()> {
    let [dev, proc, tmp] = MOUNT_POINTS.map(|name| root.join(name));
    let none = None::<&str>;
    mount(Some("tmpfs"), &dev, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))?;
    for (name, major, minor) in DEVICES {
        let all = Mode::from_bits_truncate(0o666);
        mknod(&dev.join(name), SFlag::S_IFCHR, all, makedev(major, minor))?;
    }
    mkdir(&dev.join("pts"), Mode::from_bits_truncate(0o755))?;
    mount(Some("/dev/pts"), &dev.join("pts"), none, MsFlags::MS_BIND, none)?;
    symlinkat("pts/ptmx", nix::fcntl::AT_FDCWD, &dev.join("ptmx"))?;
    mount(Some("proc"), &proc, Some("proc"), MsFlags::empty(), none)?;
    mount(Some("tmpfs"), &tmp, Some("tmpfs"), MsFlags::empty(), none)
}

fn handle(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Forks a process that is to enter the jail. It is in the jail's namespaces from its birth, and
/// so is the caller from now on, but for its pid.
pub(crate) fn fork_for(jail: i32) -> io::Result<Forked> {
    setns(handle(jail)?, namespaces())?;
    super::fork()
}

/// Enters the jail.
pub(crate) fn enter(_jail: i32, root: &Path) -> io::Result<()> {
    chroot(root)?;
    chdir("/")?;
    filter()
}

/// A seccomp filter: no sockets of IPv4. What a jail forbids is a longer list of such rules.
fn filter() -> io::Result<()> {
    const NUMBER: u32 = 0;
    const FIRST_ARGUMENT: u32 = 16;
    let number = u32::try_from(libc::SYS_socket).map_err(io::Error::other)?;
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPROTONOSUPPORT.cast_unsigned();
    let rules = [
        (load, 0, 0, NUMBER),
        (equal, 0, 3, number),
        (load, 0, 0, FIRST_ARGUMENT),
        (equal, 0, 1, libc::AF_INET.cast_unsigned()),
        (answer, 0, 0, refused),
        (answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let mut program = Vec::with_capacity(rules.len());
    for (code, jt, jf, k) in rules {
        let code = code.try_into().map_err(io::Error::other)?;
        program.push(libc::sock_filter { code, jt, jf, k });
    }
    let program = libc::sock_fprog {
        len: program.len().try_into().map_err(io::Error::other)?,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the program and its rules are live, and as many as it says.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, ptr::from_ref(&program))
    })?;
    Ok(())
}

/// Ends the jail and everything in it, and unmounts what was mounted.
pub(crate) fn remove(jail: i32, root: &Path) -> io::Result<()> {
    let handle = handle(jail)?;
    let no_information = ptr::null::<libc::siginfo_t>();
    // SAFETY: a null pointer is allowed.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            handle.as_raw_fd(),
            libc::SIGKILL,
            no_information,
            0,
        )
    })?;
    poll(&mut [PollFd::new(handle.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
    umount2(&root.join("dev/pts"), MntFlags::empty())?;
    for point in MOUNT_POINTS {
        umount2(&root.join(point), MntFlags::empty())?;
    }
    Ok(())
}
