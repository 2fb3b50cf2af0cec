//! System calls that wait for an answer (seccomp_unotify(2)).

use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;

use libc::{seccomp_notif, seccomp_notif_resp};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::pidfd;

/// The descriptor through which the calls of some processes are answered.
#[derive(Debug)]
pub(super) struct Listener(OwnedFd);

/// A system call that waits.
pub(super) struct Call<'a> {
    listener: &'a Listener,
    id: u64,
    /// The thread, as it is numbered in the holder's pid namespace.
    thread: u32,
    pub(super) number: i64,
    pub(super) arguments: [u64; 6],
    memory: File,
    /// A procfs of that pid namespace.
    procfs: &'a OwnedFd,
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Listener {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Takes the next call; `None` when the one that there was has been given up.
    pub(super) fn next<'a>(&'a self, procfs: &'a OwnedFd) -> Result<Option<Call<'a>>, Errno> {
        // SAFETY: all zeros are a seccomp_notif, and the kernel wants them.
        let mut notification: seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the request carries the size of what the kernel writes, which is that of
        // `notification`; a kernel with another size has another number for it.
        match self.control(libc::SECCOMP_IOCTL_NOTIF_RECV, (&raw mut notification).cast()) {
            Ok(()) => {}
            Err(Errno::ENOENT | Errno::EINTR) => return Ok(None),
            Err(errno) => return Err(errno),
        }
        let seccomp_notif { id, pid: thread, data, .. } = notification;
        let memory = openat(
            procfs,
            format!("{thread}/mem").as_str(),
            OFlag::O_RDWR | OFlag::O_CLOEXEC,
            Mode::empty(),
        );
        let Ok(memory) = memory else {
            // The caller has ended, or is out of reach: let the kernel see to it.
            self.answer(id, Ok(()))?;
            return Ok(None);
        };
        Ok(Some(Call {
            listener: self,
            id,
            thread,
            number: data.nr.into(),
            arguments: data.args,
            memory: memory.into(),
            procfs,
        }))
    }

    /// Lets the kernel carry the call out, or makes it fail.
    fn answer(&self, id: u64, verdict: Result<(), Errno>) -> Result<(), Errno> {
        let (error, flags) = match verdict {
            Ok(()) => (0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE),
            Err(errno) => (-(errno as i32), 0),
        };
        let flags = u32::try_from(flags).unwrap_or_default();
        let mut response = seccomp_notif_resp { id, val: 0, error, flags };
        match self.control(libc::SECCOMP_IOCTL_NOTIF_SEND, (&raw mut response).cast()) {
            // The caller has been killed meanwhile.
            Err(Errno::ENOENT) => Ok(()),
            result => result,
        }
    }

    fn control(&self, request: libc::Ioctl, argument: *mut libc::c_void) -> Result<(), Errno> {
        // SAFETY: the callers pass a pointer to what the request is defined for.
        Errno::result(unsafe { libc::ioctl(self.0.as_raw_fd(), request, argument) }).map(drop)
    }
}

impl Call<'_> {
    /// Answers the call.
    pub(super) fn answer(self, verdict: Result<(), Errno>) -> Result<(), Errno> {
        self.listener.answer(self.id, verdict)
    }

    /// Whether the caller still waits, and so what has been opened is its and not that of
    /// another one that got its number.
    fn is_valid(&self) -> bool {
        let mut id = self.id;
        let request = libc::SECCOMP_IOCTL_NOTIF_ID_VALID;
        self.listener.control(request, (&raw mut id).cast()).is_ok()
    }

    /// Reads the caller's memory.
    pub(super) fn read<const N: usize>(&self, at: u64) -> Result<[u8; N], Errno> {
        let mut bytes = [0; N];
        self.memory.read_exact_at(&mut bytes, at).map_err(|_| Errno::EFAULT)?;
        if self.is_valid() { Ok(bytes) } else { Err(Errno::ESRCH) }
    }

    /// Writes into the caller's memory, even where the caller itself may not.
    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        if !self.is_valid() {
            return Err(Errno::ESRCH);
        }
        self.memory.write_all_at(bytes, at).map_err(|_| Errno::EFAULT)
    }

    /// A duplicate of the descriptor that is the call's first argument.
    pub(super) fn descriptor(&self) -> Result<OwnedFd, Errno> {
        let process = pidfd::open(self.process()?)?.ok_or(Errno::ESRCH)?;
        if !self.is_valid() {
            return Err(Errno::ESRCH);
        }
        // The kernel looks at the low half as well.
        let [a, b, c, d, ..] = self.arguments[0].to_le_bytes();
        pidfd::duplicate(&process, RawFd::from_le_bytes([a, b, c, d]))
    }

    /// The process that the thread belongs to.
    fn process(&self) -> Result<i32, Errno> {
        let path = format!("{}/status", self.thread);
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let mut status = String::new();
        openat(self.procfs, path.as_str(), flags, Mode::empty())
            .map(File::from)
            .map_err(io::Error::from)
            .and_then(|mut file| file.read_to_string(&mut status))
            .map_err(|_| Errno::ESRCH)?;
        let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        line.and_then(|pid| pid.trim().parse().ok()).ok_or(Errno::ESRCH)
    }
}
