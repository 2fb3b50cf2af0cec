//! Entering a jail.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::setns;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use nix::sys::stat::Mode;
use nix::unistd::{chdir, chroot, read, write};

use super::cgroup;
use super::filter::Filters;
use super::fork;
use super::namespaces::{self, Kind};
use super::prison::Prison;
use super::process;
use super::registry::{self, Registry};
use crate::error::Error;
use crate::jid::Jid;
use crate::sys::Forked;

/// See [`crate::Attachment`].
#[derive(Debug)]
pub(crate) struct Attachment {
    pid_namespace: OwnedFd,
    /// A pidfd of the jail's holder, to see whether the jail is there.
    holder: OwnedFd,
    /// The namespaces to join, but for the pid namespace.
    namespaces: Vec<(Kind, OwnedFd)>,
    root: CString,
    /// See [`cgroup::doors`].
    cgroups: Vec<CString>,
    filters: Filters,
    doorbell: UnixAddr,
    descriptors: Vec<RawFd>,
}

impl Attachment {
    pub(in crate::sys) fn new(jid: Jid) -> Result<Self, Error> {
        let gone =
            || Error::Refused { call: "jail_attach(2)", errno: Errno::EINVAL, message: None };
        let registry = Registry::open_for(jid.as_raw())?;
        let prisons = registry.prisons();
        let prison = prisons.find(jid.as_raw()).filter(|prison| !prison.dying);
        let prison = prison.ok_or_else(gone)?;
        let open = |owner: &Prison, kind| match owner.holder {
            Some(holder) => namespaces::open(holder, kind)?.map(Some).ok_or_else(gone),
            None => Ok(None),
        };
        let pid_namespace = open(prison, Kind::Pid)?.ok_or_else(gone)?;
        let holder = prison.holder.map(|holder| process::handle(holder.process()));
        let holder = holder.transpose()?.flatten().ok_or_else(gone)?;
        let mut others = Vec::new();
        for kind in [Kind::Net, Kind::Ipc, Kind::Uts] {
            // What the host owns need not be entered.
            if let Some(namespace) = open(prisons.owner(prison, kind), kind)? {
                others.push((kind, namespace));
            }
        }
        let doorbell =
            UnixAddr::new(&registry::doorbell(prison.jid)).map_err(Error::system("sockaddr_un"))?;
        let mut descriptors = vec![pid_namespace.as_raw_fd(), holder.as_raw_fd()];
        descriptors.extend(others.iter().map(|(_, fd)| fd.as_raw_fd()));
        Ok(Self {
            pid_namespace,
            holder,
            namespaces: others,
            root: CString::new(prison.path.as_str())
                .map_err(|_| Error::NulByte { name: "path".into() })?,
            cgroups: cgroup::doors(prison)?,
            filters: Filters::of(prison)?,
            doorbell,
            descriptors,
        })
    }

    pub(in crate::sys) unsafe fn fork(&self) -> Result<Forked, Error> {
        // SAFETY: the caller keeps to fork's rules.
        unsafe { fork::into(&self.pid_namespace) }.map_err(|error| {
            if self.is_gone().unwrap_or(false) {
                let errno = Errno::EINVAL;
                Error::Refused { call: "jail_attach(2)", errno, message: None }
            } else {
                error
            }
        })
    }

    pub(in crate::sys) fn descriptors(&self) -> &[RawFd] {
        &self.descriptors
    }

    pub(in crate::sys) fn enter(&self) -> Result<(), Errno> {
        nix::sys::prctl::set_dumpable(false)?;
        if self.is_gone()? {
            return Err(Errno::EINVAL);
        }
        refuse_open_directories()?;
        for door in &self.cgroups {
            enter_cgroup(door)?;
        }
        // The socket is found by its path, and so only from outside.
        let holder = if self.filters.asks() { Some(self.ring()?) } else { None };
        for (kind, namespace) in &self.namespaces {
            setns(namespace, kind.flag())?;
        }
        chroot(self.root.as_c_str())?;
        chdir(c"/")?;
        let listener = self.filters.install()?;
        match (holder, listener) {
            (Some(holder), Some(listener)) => hand_over(&holder, &listener),
            _ => Ok(()),
        }
    }

    /// Whether the holder has ended, and so the jail.
    fn is_gone(&self) -> Result<bool, Errno> {
        let mut holder = [PollFd::new(self.holder.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut holder, PollTimeout::ZERO)? > 0)
    }

    fn ring(&self) -> Result<OwnedFd, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
        connect(socket.as_raw_fd(), &self.doorbell)?;
        Ok(socket)
    }
}

/// Enters a cgroup if it is there. Does not allocate.
fn enter_cgroup(door: &CStr) -> Result<(), Errno> {
    match open(door, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty()) {
        // The process that writes it.
        Ok(file) => write(&file, b"0").map(drop),
        // Nothing is limited.
        Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Lets the holder take a duplicate of the listener, which it finds by its number: sending it
/// would itself be a call that the holder has to answer.
fn hand_over(holder: &OwnedFd, listener: &OwnedFd) -> Result<(), Errno> {
    write(holder, &listener.as_raw_fd().to_ne_bytes())?;
    let mut answer = [0; 4];
    loop {
        match read(holder, &mut answer) {
            Ok(4) if answer == [0; 4] => return Ok(()),
            Ok(4) => return Err(Errno::from_raw(i32::from_ne_bytes(answer))),
            Ok(_) => return Err(Errno::EINVAL),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// `EPERM` when this process has a directory open, which would lead out of the jail
/// (`chroot_refuse_vdir_fds` in `kern/kern_descrip.c`). Does not allocate.
fn refuse_open_directories() -> Result<(), Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let list = open(c"/proc/self/fd", flags, Mode::empty())?;
    let mut buffer = [0u8; 4096];
    loop {
        // SAFETY: the buffer is as long as the call is told.
        let length = Errno::result(unsafe {
            libc::syscall(libc::SYS_getdents64, list.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())
        })?;
        let Some(mut entries) = usize::try_from(length).ok().and_then(|n| buffer.get(..n)) else {
            return Err(Errno::EIO);
        };
        if entries.is_empty() {
            return Ok(());
        }
        while let Some((name, rest)) = first_entry(entries) {
            entries = rest;
            let fd = str::from_utf8(name).ok().and_then(|name| name.parse::<RawFd>().ok());
            if let Some(fd) = fd.filter(|&fd| fd != list.as_raw_fd())
                && is_directory(fd)?
            {
                return Err(Errno::EPERM);
            }
        }
    }
}

/// The name of the first of some `struct linux_dirent64`, and the others.
fn first_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    // d_ino and d_off (8 bytes each), d_reclen (2), d_type (1), then the name up to a NUL.
    let length = u16::from_ne_bytes([*entries.get(16)?, *entries.get(17)?]);
    let (entry, rest) = entries.split_at_checked(length.into())?;
    Some((entry.get(19..)?.split(|&b| b == 0).next()?, rest))
}

fn is_directory(fd: RawFd) -> Result<bool, Errno> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel fills in the buffer or fails.
    match Errno::result(unsafe { libc::fstat(fd, stat.as_mut_ptr()) }) {
        // SAFETY: filled in.
        Ok(_) => Ok(unsafe { stat.assume_init() }.st_mode & libc::S_IFMT == libc::S_IFDIR),
        // Closed meanwhile: the process has more than one thread.
        Err(Errno::EBADF) => Ok(false),
        Err(errno) => Err(errno),
    }
}
