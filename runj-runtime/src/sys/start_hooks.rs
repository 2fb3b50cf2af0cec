//! `startContainer` hooks: programs of the container that its process runs, inside, before it
//! becomes the container's own program.
//!
//! The process is a forked child of a caller that may have had threads. So, as in
//! [`Entry`](super::Entry), everything is made ready before, and only async-signal-safe calls are
//! made then.

use std::ffi::{CString, c_int};
use std::io::Read as _;
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::FcntlArg;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction};
use nix::sys::time::TimeSpec;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setpgid};

use super::entry::{Pointers, check, close_range, default_signals};

/// One hook, ready to be run.
#[derive(Debug)]
pub(crate) struct StartHook {
    pub(crate) path: CString,
    pub(crate) args: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) timeout: Option<NonZeroU32>,
    /// A file without a name, to be its standard input.
    pub(crate) input: OwnedFd,
    /// One to be its standard error.
    pub(crate) complaints: OwnedFd,
}

/// All hooks, in order.
#[derive(Debug)]
pub(crate) struct StartHooks {
    pub(crate) hooks: Vec<StartHook>,
    /// The state that each gets on its standard input, but for the pid of the process, which goes
    /// between the two.
    pub(crate) state: [Vec<u8>; 2],
    /// Their standard output, which nobody reads.
    pub(crate) null: OwnedFd,
}

/// Why one of the hooks failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HookFailure {
    /// Which one, counted from 0.
    pub(crate) index: u32,
    pub(crate) end: HookEnd,
}

/// What became of a hook that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookEnd {
    /// It could not be executed.
    NotExecuted(Errno),
    /// It ended with this status, which is not 0.
    Exited(i32),
    /// A signal of this number ended it.
    Signaled(i32),
    /// It was killed when its time was over.
    TimedOut,
    /// The kernel refused something that has nothing to do with the program.
    System(Errno),
}

impl HookFailure {
    /// How many bytes a failure is told in.
    pub(super) const BYTES: usize = 9;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let (kind, value) = match self.end {
            HookEnd::NotExecuted(errno) => (0, errno as i32),
            HookEnd::Exited(status) => (1, status),
            HookEnd::Signaled(signal) => (2, signal),
            HookEnd::TimedOut => (3, 0),
            HookEnd::System(errno) => (4, errno as i32),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[0] = kind;
        bytes[1..5].copy_from_slice(&value.to_ne_bytes());
        bytes[5..].copy_from_slice(&self.index.to_ne_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let [kind, v0, v1, v2, v3, i0, i1, i2, i3] = bytes;
        let value = i32::from_ne_bytes([v0, v1, v2, v3]);
        let end = match kind {
            0 => HookEnd::NotExecuted(Errno::from_raw(value)),
            1 => HookEnd::Exited(value),
            2 => HookEnd::Signaled(value),
            3 => HookEnd::TimedOut,
            4 => HookEnd::System(Errno::from_raw(value)),
            _ => return None,
        };
        Some(Self { index: u32::from_ne_bytes([i0, i1, i2, i3]), end })
    }
}

impl StartHooks {
    /// The descriptors that they need.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        let mut descriptors = vec![self.null.as_raw_fd()];
        for hook in &self.hooks {
            descriptors.extend([hook.input.as_raw_fd(), hook.complaints.as_raw_fd()]);
        }
        descriptors
    }

    /// Runs them in order until one fails; to be called in the container. What the one that failed
    /// wrote to its standard error can then be read from its `complaints`.
    pub(super) fn run(&self, pointers: &[Pointers]) -> Result<(), HookFailure> {
        let at = |index: usize| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            move |end| HookFailure { index, end }
        };
        notice_children().map_err(HookEnd::System).map_err(at(0))?;
        for (index, (hook, pointers)) in self.hooks.iter().zip(pointers).enumerate() {
            self.run_one(hook, pointers).map_err(at(index))?;
        }
        default_signals();
        Ok(())
    }

    fn run_one(&self, hook: &StartHook, pointers: &Pointers) -> Result<(), HookEnd> {
        self.write_state(&hook.input).map_err(HookEnd::System)?;
        let mut pipe = [-1; 2];
        // SAFETY: the pointer is to room for two descriptors.
        check(unsafe { libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })
            .map_err(HookEnd::System)?;
        // SAFETY: two new descriptors that nobody else owns.
        let [refusals, refuser] = pipe.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        // SAFETY: `become_hook` keeps to async-signal-safe calls and never returns.
        let child = check(unsafe { _Fork() }).map_err(HookEnd::System)?;
        if child == 0 {
            self.become_hook(hook, pointers, &refuser);
        }
        drop(refuser);
        let child = Pid::from_raw(child);
        // Both sides do it: neither knows who is first.
        let _ = setpgid(child, child);
        let status = wait(child, hook.timeout)?;
        let mut errno = [0; 4];
        let mut refusals = std::fs::File::from(refusals);
        if matches!(refusals.read(&mut errno), Ok(4)) {
            return Err(HookEnd::NotExecuted(Errno::from_raw(i32::from_ne_bytes(errno))));
        }
        match status {
            WaitStatus::Exited(_, 0) => Ok(()),
            WaitStatus::Exited(_, status) => Err(HookEnd::Exited(status)),
            WaitStatus::Signaled(_, signal, _) => Err(HookEnd::Signaled(signal as i32)),
            _ => Err(HookEnd::System(Errno::ECHILD)),
        }
    }

    /// Writes the state into a hook's standard input.
    fn write_state(&self, input: &OwnedFd) -> Result<(), Errno> {
        let mut digits = [0; 10];
        let pid = decimal(std::process::id(), &mut digits);
        let [before, after] = &self.state;
        for mut bytes in [before.as_slice(), pid, after.as_slice()] {
            while !bytes.is_empty() {
                let count = nix::unistd::write(input, bytes)?;
                bytes = &bytes[count..];
            }
        }
        nix::unistd::lseek(input, 0, nix::unistd::Whence::SeekSet).map(drop)
    }

    /// The child's life, which ends with the hook.
    fn become_hook(&self, hook: &StartHook, pointers: &Pointers, refuser: &OwnedFd) -> ! {
        default_signals();
        let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
        // Kept above the streams, whichever of them were free.
        if let Ok(refuser) = nix::fcntl::fcntl(refuser, FcntlArg::F_DUPFD_CLOEXEC(3)) {
            // SAFETY: a new descriptor that nobody else owns.
            let refuser = unsafe { OwnedFd::from_raw_fd(refuser) };
            let errno = self.exec(hook, pointers, &refuser);
            let _ = nix::unistd::write(&refuser, &(errno as i32).to_ne_bytes());
        }
        // SAFETY: _exit(2) is what a forked child ends with.
        unsafe { libc::_exit(127) }
    }

    fn exec(&self, hook: &StartHook, pointers: &Pointers, refuser: &OwnedFd) -> Errno {
        for (descriptor, stream) in [(&hook.input, 0), (&self.null, 1), (&hook.complaints, 2)] {
            // SAFETY: takes no pointer; what was there is used by nobody any more.
            if let Err(errno) = check(unsafe { libc::dup2(descriptor.as_raw_fd(), stream) }) {
                return errno;
            }
        }
        let kept = u32::try_from(refuser.as_raw_fd()).unwrap_or(3);
        if kept > 3 {
            close_range(3, kept - 1);
        }
        close_range(kept + 1, u32::MAX);
        // SAFETY: the pointers are to live C strings, and the lists end with null.
        unsafe { libc::execve(hook.path.as_ptr(), pointers.args.as_ptr(), pointers.env.as_ptr()) };
        Errno::last()
    }
}

// unistd.h (POSIX.1-2024): fork(2) without what others have asked to be called at a fork.
// libc does not have it.
unsafe extern "C" {
    fn _Fork() -> libc::pid_t;
}

/// Lets the end of a child be noticed by [`sigtimedwait`](libc::sigtimedwait): FreeBSD throws a
/// signal away that nobody handles, blocked or not.
fn notice_children() -> Result<(), Errno> {
    extern "C" fn nothing(_: c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    let child = SigSet::from(Signal::SIGCHLD);
    nix::sys::signal::sigprocmask(SigmaskHow::SIG_BLOCK, Some(&child), None)?;
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGCHLD, &action) }.map(drop)
}

/// Waits for a child's end; kills its process group when the time is over.
fn wait(child: Pid, timeout: Option<NonZeroU32>) -> Result<WaitStatus, HookEnd> {
    let Some(timeout) = timeout else { return wait_for_ever(child) };
    let deadline = Instant::now() + Duration::from_secs(timeout.get().into());
    let children = SigSet::from(Signal::SIGCHLD);
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
            Ok(status) => return Ok(status),
            Err(errno) => return Err(HookEnd::System(errno)),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            super::kill_group(child.as_raw());
            wait_for_ever(child)?;
            return Err(HookEnd::TimedOut);
        }
        let left = TimeSpec::from_duration(left);
        // SAFETY: the pointers are to a live set and a live time; nobody wants to know more.
        unsafe { libc::sigtimedwait(children.as_ref(), ptr::null_mut(), left.as_ref()) };
    }
}

fn wait_for_ever(child: Pid) -> Result<WaitStatus, HookEnd> {
    loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            status => return status.map_err(HookEnd::System),
        }
    }
}

/// A number in digits.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_usual(number: u32) {
            let mut digits = [0; 10];
            let usual = number.to_string();
            prop_assert_eq!(decimal(number, &mut digits), usual.as_bytes());
        }

        #[test]
        fn a_failure_is_read_back(kind in 0..5u8, value in 1..32, index: u32) {
            let end = match kind {
                0 => HookEnd::NotExecuted(Errno::from_raw(value)),
                1 => HookEnd::Exited(value),
                2 => HookEnd::Signaled(value),
                3 => HookEnd::TimedOut,
                _ => HookEnd::System(Errno::from_raw(value)),
            };
            let failure = HookFailure { index, end };
            prop_assert_eq!(HookFailure::from_bytes(failure.to_bytes()), Some(failure));
        }
    }
}
