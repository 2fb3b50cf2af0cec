//! The process that holds a jail's namespaces, and is pid 1 in the jail's pid namespace.
//!
//! It is forked, not executed, since a library has no program of its own to execute. It is
//! nobody's child but that of the pid 1 around it: the host's, or the holder of the jail that its
//! own one is in. Killing it ends everything in its pid namespace.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sched::{setns, unshare};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, sigprocmask};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, bind,
    listen, recvmsg, setsockopt, socket, socketpair, sockopt,
};
use nix::sys::stat::Mode;
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, read, setsid, write};

use super::fork;
use super::names;
use super::namespaces::Kind;
use super::notify;
use super::prison::Holder;
use super::process::{self, Stat};
use super::procfs;
use crate::error::Error;

/// What a holder is to hold.
pub(super) struct Plan<'a> {
    pub(super) jid: i32,
    /// With a network stack of its own.
    pub(super) vnet: bool,
    pub(super) hostname: &'a str,
    pub(super) domainname: &'a str,
    /// The pid namespace of the jail that this one is in.
    pub(super) parent: Option<OwnedFd>,
    /// Where processes that enter the jail find it.
    pub(super) doorbell: PathBuf,
}

/// A holder that is ready, and ends when this is dropped before it was released.
pub(super) struct Started {
    holder: Holder,
    line: OwnedFd,
}

impl Started {
    pub(super) fn holder(&self) -> Holder {
        self.holder
    }

    /// Lets it live on without this process.
    pub(super) fn release(self) -> Result<(), Error> {
        write(&self.line, &[0]).map(drop).map_err(Error::system("write(2)"))
    }
}

/// Makes a holder.
pub(super) fn start(plan: &Plan<'_>) -> Result<Started, Error> {
    let doorbell = doorbell(plan).map_err(|errno| failed("listening for a jail", errno))?;
    let kind = SockType::SeqPacket;
    let (line, theirs) = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)
        .map_err(Error::system("socketpair(2)"))?;
    // What the holder sends then tells its pid as well, as it is numbered here.
    setsockopt(&line, sockopt::PassCred, &true).map_err(Error::system("setsockopt(2)"))?;
    let outer =
        fork::child(|| outer(plan, &theirs, &doorbell)).map_err(Error::system("fork(2)"))?;
    drop(theirs);
    drop(doorbell);
    let pid = ready(&line);
    fork::collect(outer);
    let pid = pid?;

    let gone = || failed("starting a jail's process", Errno::ESRCH);
    let stat = Stat::of(pid)?.ok_or_else(gone)?;
    let namespace = process::pid_namespace(pid)?.ok_or_else(gone)?;
    Ok(Started { holder: Holder { pid, start: stat.start, namespace }, line })
}

fn doorbell(plan: &Plan<'_>) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
    bind(socket.as_raw_fd(), &UnixAddr::new(&plan.doorbell)?)?;
    listen(&socket, Backlog::MAXCONN)?;
    Ok(socket)
}

/// Waits until the holder says that it is ready or why it is not; its pid.
fn ready(line: &OwnedFd) -> Result<i32, Error> {
    let mut buffer = [0; 256];
    let mut space = nix::cmsg_space!(libc::ucred);
    let (length, pid) = loop {
        let mut iov = [IoSliceMut::new(&mut buffer)];
        match recvmsg::<()>(line.as_raw_fd(), &mut iov, Some(&mut space), MsgFlags::empty()) {
            Ok(message) => {
                let pid =
                    message.cmsgs().map_err(Error::system("recvmsg(2)"))?.find_map(
                        |part| match part {
                            ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
                            _ => None,
                        },
                    );
                break (message.bytes, pid);
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::System { call: "recvmsg(2)", errno }),
        }
    };
    match (buffer.get(..length).and_then(<[u8]>::split_first_chunk::<4>), pid) {
        (Some((&[0, 0, 0, 0], _)), Some(pid)) => Ok(pid),
        (Some((&errno, what)), _) => {
            let errno = Errno::from_raw(i32::from_ne_bytes(errno));
            Err(failed(&String::from_utf8_lossy(what), errno))
        }
        _ => Err(failed("starting a jail's process", Errno::EPIPE)),
    }
}

/// Tells the process that waits in [`ready`], with `UnknownErrno`, which is 0, that nothing is
/// wrong. If that one is gone there is nobody to tell.
fn report(line: &OwnedFd, errno: Errno, what: &str) {
    let mut message = (errno as i32).to_ne_bytes().to_vec();
    message.extend_from_slice(what.as_bytes());
    let _ = write(line, &message);
}

/// What went wrong, with the errno and what was being done.
type Step = (Errno, &'static str);

fn step(what: &'static str) -> impl FnOnce(Errno) -> Step {
    move |errno| (errno, what)
}

/// The first of the processes. It is there to be collected by the caller, so that the others need not
/// be.
fn outer(plan: &Plan<'_>, line: &OwnedFd, doorbell: &OwnedFd) {
    let Some(parent) = &plan.parent else { return middle(plan, line, doorbell) };
    let made = || -> Result<(), Step> {
        setns(parent, Kind::Pid.flag()).map_err(step("entering the parent jail"))?;
        let middle = fork::child(|| middle(plan, line, doorbell)).map_err(step("forking"))?;
        fork::collect(middle);
        Ok(())
    };
    made().unwrap_or_else(|(errno, what)| report(line, errno, what));
}

/// One that is in the pid namespace of the jail around, which takes a process more unless that is the
/// host; when it ends, that one's pid 1 takes the holder over.
fn middle(plan: &Plan<'_>, line: &OwnedFd, doorbell: &OwnedFd) {
    let made = || -> Result<(), Step> {
        let mut flags = Kind::Pid.flag() | Kind::Uts.flag() | Kind::Ipc.flag();
        if plan.vnet {
            flags |= Kind::Net.flag();
        }
        unshare(flags).map_err(step("making a jail's namespaces"))?;
        fork::child(|| hold(plan, line, doorbell)).map_err(step("forking"))?;
        Ok(())
    };
    made().unwrap_or_else(|(errno, what)| report(line, errno, what));
}

/// The holder itself.
fn hold(plan: &Plan<'_>, line: &OwnedFd, doorbell: &OwnedFd) {
    // These are kept when all other descriptors are closed.
    let (line, doorbell) = match (moved(line), moved(doorbell)) {
        (Ok(line), Ok(doorbell)) => (line, doorbell),
        (Err(errno), _) | (_, Err(errno)) => return report(line, errno, "duplicating a socket"),
    };
    match settle(plan, &line, &doorbell) {
        Ok(procfs) => {
            report(&line, Errno::UnknownErrno, "");
            // The end of the line without a word means that the jail is not wanted after all.
            if read(&line, &mut [0]) == Ok(1) {
                drop(line);
                notify::serve(plan.jid, &doorbell, &procfs);
            }
        }
        Err((errno, what)) => report(&line, errno, what),
    }
}

/// Lets go of everything that belongs to the process it was forked from, but for the two
/// sockets. Gives a procfs of the new pid namespace.
fn settle(plan: &Plan<'_>, line: &OwnedFd, doorbell: &OwnedFd) -> Result<OwnedFd, Step> {
    setsid().map_err(step("starting a session"))?;
    chdir("/").map_err(step("changing to the root directory"))?;
    forget_signals().map_err(step("blocking signals"))?;
    close_others([line.as_raw_fd(), doorbell.as_raw_fd()]).map_err(step("closing descriptors"))?;
    let title = std::ffi::CString::new(format!("runj-jail-{}", plan.jid)).unwrap_or_default();
    nix::sys::prctl::set_name(&title).map_err(step("naming a process"))?;
    names::set(Some(plan.hostname), Some(plan.domainname)).map_err(|error| {
        (error.errno().unwrap_or(Errno::EINVAL), "setting host.hostname and host.domainname")
    })?;
    procfs::detached().map_err(step("making a procfs"))
}

/// All signals are blocked, but for those that cannot be; pid 1 of a namespace is out of reach
/// for what is inside anyway. Children are collected by the kernel.
fn forget_signals() -> Result<(), Errno> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?;
    let action = |handler| SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    for signal in nix::sys::signal::Signal::iterator() {
        let handler = match signal {
            nix::sys::signal::SIGKILL | nix::sys::signal::SIGSTOP => continue,
            nix::sys::signal::SIGCHLD => SigHandler::SigIgn,
            _ => SigHandler::SigDfl,
        };
        // SAFETY: neither ignoring a signal nor its default action runs any code of ours.
        unsafe { nix::sys::signal::sigaction(signal, &action(handler)) }?;
    }
    Ok(())
}

/// A duplicate beyond the standard streams.
fn moved(fd: &OwnedFd) -> Result<OwnedFd, Errno> {
    let new = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    super::pidfd::descriptor(new.into())
}

/// Closes all descriptors but those, and makes the standard streams lead nowhere.
fn close_others(mut keep: [RawFd; 2]) -> Result<(), Errno> {
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    // Closed below with all others.
    std::mem::forget(null);
    keep.sort_unstable();
    let mut first = 3;
    for kept in keep {
        close_range(first, kept - 1)?;
        first = kept + 1;
    }
    close_range(first, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    if first > last {
        return Ok(());
    }
    // SAFETY: the call takes no pointer. Whoever owns these descriptors is the process that this
    // one was forked from, whose values are never dropped here.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

fn failed(what: &str, errno: Errno) -> Error {
    Error::Emulation { what: what.to_owned(), source: errno.into() }
}
