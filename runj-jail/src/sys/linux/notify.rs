//! The life of a holder: it answers for the addresses of the processes in its jail, where the
//! jail is restricted to some.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{SockFlag, accept4, getsockopt, sockopt};
use nix::unistd::{read, write};

use super::address_calls;
use super::listener::{Call, Listener};
use super::pidfd;
use super::registry;

/// Something that a holder waits for.
enum Source {
    /// A process that enters the jail and is about to say where its listener is.
    Caller(OwnedFd),
    /// The calls of one that has entered, and of its children.
    Listener(Listener),
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Caller(socket) => socket.as_fd(),
            Self::Listener(listener) => listener.as_fd(),
        }
    }
}

/// Serves the processes of a jail for as long as it can.
pub(super) fn serve(jid: i32, doorbell: &OwnedFd, procfs: &OwnedFd) {
    let mut sources: Vec<Source> = Vec::new();
    loop {
        let mut fds = vec![PollFd::new(doorbell.as_fd(), PollFlags::POLLIN)];
        fds.extend(sources.iter().map(|of| PollFd::new(of.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let mut ready = ready.into_iter();
        let rings = ready.next() == Some(true);
        sources = sources
            .into_iter()
            .zip(ready)
            .filter_map(|(of, ready)| if ready { attend(of, jid, procfs) } else { Some(of) })
            .collect();
        if rings && let Ok(caller) = answer_door(doorbell) {
            sources.push(Source::Caller(caller));
        }
    }
}

/// Does what is asked for; `None` when nothing more will come from there.
fn attend(source: Source, jid: i32, procfs: &OwnedFd) -> Option<Source> {
    match source {
        Source::Caller(caller) => {
            let taken = take(&caller);
            let errno = taken.as_ref().err().map_or(0, |errno| *errno as i32);
            // If it has ended meanwhile, so have its calls.
            let _ = write(&caller, &errno.to_ne_bytes());
            taken.ok().map(|fd| Source::Listener(Listener::new(fd)))
        }
        // The kernel would let us wait for calls that cannot come any more.
        Source::Listener(listener) if is_hung_up(&listener) => None,
        Source::Listener(listener) => {
            let answered = match listener.next(procfs) {
                Ok(Some(call)) => answer(call, jid),
                Ok(None) => Ok(()),
                Err(errno) => Err(errno),
            };
            answered.ok().map(|()| Source::Listener(listener))
        }
    }
}

fn answer(call: Call<'_>, jid: i32) -> Result<(), Errno> {
    // Read again each time, since the addresses of a jail can be changed.
    let verdict = match registry::written(jid) {
        Ok(prison) => address_calls::prepare(&call, &prison),
        Err(_) => Err(Errno::ENETDOWN),
    };
    call.answer(verdict)
}

/// Whether the last process that used the filter has ended.
fn is_hung_up(listener: &Listener) -> bool {
    let mut fd = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    let _ = poll(&mut fd, PollTimeout::ZERO);
    fd[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
}

fn answer_door(doorbell: &OwnedFd) -> Result<OwnedFd, Errno> {
    let fd = accept4(doorbell.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)?;
    // SAFETY: the call just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes the listener that a process says it has at some descriptor.
fn take(caller: &OwnedFd) -> Result<OwnedFd, Errno> {
    let mut number = [0; size_of::<RawFd>()];
    if read(caller, &mut number)? != number.len() {
        return Err(Errno::EPROTO);
    }
    // Who it was that connected, as it is numbered in this pid namespace.
    let pid = getsockopt(caller, sockopt::PeerCredentials)?.pid();
    let process = pidfd::open(pid)?.ok_or(Errno::ESRCH)?;
    pidfd::duplicate(&process, RawFd::from_ne_bytes(number))
}
