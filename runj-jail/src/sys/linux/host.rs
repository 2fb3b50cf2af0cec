//! What a development host of Linux needs besides the jail system calls, because things that
//! FreeBSD's kernel does by jid go by namespace here.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};
use nix::unistd::Pid;

use super::fork;
use super::namespaces::{self, Kind};
use super::procfs;
use super::registry::Registry;
use crate::error::Error;
use crate::jail::Jail;
use crate::sys::Forked;

/// The network namespace that a jail uses, for instance to move an interface there: its own with
/// `vnet=new`, or else that of the jail it is in or of the host.
///
/// # Errors
///
/// [`Error::Refused`] with `EINVAL` when the jail is gone.
pub fn net_namespace(jail: Jail) -> Result<OwnedFd, Error> {
    namespace(jail, Kind::Net)?.map_or_else(
        || {
            let path = "/proc/thread-self/ns/net";
            std::fs::File::open(path)
                .map(OwnedFd::from)
                .map_err(|source| Error::Emulation { what: format!("opening {path}"), source })
        },
        Ok,
    )
}

/// A procfs(5) that shows the processes of a jail and nothing else, not mounted anywhere yet:
/// move_mount(2) does that.
///
/// # Errors
///
/// [`Error::Refused`] with `EINVAL` when the jail is gone; otherwise when the kernel refuses.
pub fn procfs(jail: Jail) -> Result<OwnedFd, Error> {
    // A procfs shows the pid namespace of the process that makes it, so it takes a process there.
    let namespace = namespace(jail, Kind::Pid)?.ok_or_else(gone)?;
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
            .map_err(Error::system("socketpair(2)"))?;
    // SAFETY: the child makes system calls only and ends.
    match unsafe { fork::into(&namespace) }? {
        Forked::Child => {
            send(&theirs, procfs::detached());
            fork::exit(0)
        }
        Forked::Parent(child) => {
            drop(theirs);
            let received = receive(&ours);
            fork::collect(Pid::from_raw(child));
            received
        }
    }
}

fn namespace(jail: Jail, kind: Kind) -> Result<Option<OwnedFd>, Error> {
    let jid = jail.jid().as_raw();
    let registry = Registry::open_for(jid)?;
    let prisons = registry.prisons();
    let prison = prisons.find(jid).ok_or_else(gone)?;
    match prisons.owner(prison, kind).holder {
        Some(holder) => namespaces::open(holder, kind)?.ok_or_else(gone).map(Some),
        None => Ok(None),
    }
}

fn gone() -> Error {
    Error::Refused { call: "setns(2)", errno: Errno::EINVAL, message: None }
}

/// Sends the descriptor, or why there is none. If nobody receives it any more, nobody misses it.
fn send(socket: &OwnedFd, made: Result<OwnedFd, Errno>) {
    let errno = made.as_ref().err().map_or(0, |errno| *errno as i32).to_ne_bytes();
    let fds: Vec<_> = made.iter().map(AsRawFd::as_raw_fd).collect();
    let parts = [ControlMessage::ScmRights(&fds)];
    let parts = if fds.is_empty() { &[][..] } else { &parts[..] };
    let bytes = [IoSlice::new(&errno)];
    let _ = sendmsg::<()>(socket.as_raw_fd(), &bytes, parts, MsgFlags::empty(), None);
}

fn receive(socket: &OwnedFd) -> Result<OwnedFd, Error> {
    let mut errno = [0; 4];
    let mut space = nix::cmsg_space!([i32; 1]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let fd = loop {
        let mut bytes = [IoSliceMut::new(&mut errno)];
        match recvmsg::<()>(socket.as_raw_fd(), &mut bytes, Some(&mut space), flags) {
            Ok(message) => {
                let mut parts = message.cmsgs().map_err(Error::system("recvmsg(2)"))?;
                break parts.find_map(|part| match part {
                    ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
                    _ => None,
                });
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::System { call: "recvmsg(2)", errno }),
        }
    };
    match fd {
        // SAFETY: the kernel just made this descriptor for us.
        Some(fd) => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        None => Err(Error::Emulation {
            what: "making a procfs of a jail".into(),
            source: match i32::from_ne_bytes(errno) {
                0 => std::io::ErrorKind::UnexpectedEof.into(),
                errno => std::io::Error::from_raw_os_error(errno),
            },
        }),
    }
}
