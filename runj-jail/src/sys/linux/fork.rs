//! Making processes.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::sched::setns;
use nix::sys::wait::waitpid;
use nix::unistd::{self, ForkResult, Pid};

use super::namespaces::Kind;
use crate::error::Error;
use crate::sys::Forked;

/// Runs `act` in a new process, which ends when it returns.
///
/// The process has this thread alone. glibc keeps malloc(3) usable there; `act` must take no lock
/// that another thread may hold, and start no thread.
pub(super) fn child(act: impl FnOnce()) -> Result<Pid, Errno> {
    // SAFETY: `act` keeps to what it is told above, and the child never returns from here.
    match unsafe { unistd::fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let code = i32::from(catch_unwind(AssertUnwindSafe(act)).is_err());
            exit(code)
        }
    }
}

/// Ends this process at once, without running what the process it was forked from has prepared
/// for its own end.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: _exit(2) takes no pointer and does not return.
    unsafe { libc::_exit(code) }
}

/// Waits for a child of this process, which somebody else in it may have collected already.
pub(super) fn collect(child: Pid) {
    while waitpid(child, None) == Err(Errno::EINTR) {}
}

/// Forks a process that is in that pid namespace from the start.
///
/// # Safety
///
/// As for fork(2).
pub(super) unsafe fn into(pid_namespace: &OwnedFd) -> Result<Forked, Error> {
    let own = File::open("/proc/thread-self/ns/pid_for_children").map_err(|source| {
        Error::Emulation { what: "opening this thread's pid namespace".into(), source }
    })?;
    let flag = Kind::Pid.flag();
    setns(pid_namespace, flag).map_err(Error::system("setns(2)"))?;
    // SAFETY: the caller keeps to fork's rules.
    let forked = unsafe { unistd::fork() };
    if let Ok(ForkResult::Child) = forked {
        return Ok(Forked::Child);
    }
    // Without this the thread could start no other one any more.
    let restored = setns(&own, flag).map_err(Error::system("setns(2)"));
    match (forked, restored) {
        (Ok(ForkResult::Parent { child }), Ok(())) => Ok(Forked::Parent(child.as_raw())),
        (Ok(ForkResult::Parent { child }), Err(error)) => {
            // The error is what counts; a child that has ended already is as good.
            let _ = nix::sys::signal::kill(child, nix::sys::signal::SIGKILL);
            collect(child);
            Err(error)
        }
        // ENOMEM also means that the namespace's first process is gone, and with it the jail.
        (Err(errno), restored) => restored.and(Err(Error::System { call: "fork(2)", errno })),
        (Ok(ForkResult::Child), _) => Ok(Forked::Child),
    }
}
