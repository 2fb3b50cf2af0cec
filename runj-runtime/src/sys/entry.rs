//! The new process of a container, from fork(2) to execve(2).
//!
//! Between the two only async-signal-safe calls are made and nothing is allocated, whatever other
//! threads the caller had: everything was made ready before.

use std::convert::Infallible;
use std::ffi::{CString, c_char, c_int};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::stat::{Mode, SFlag, stat, umask};
use nix::unistd::{
    AccessFlags, Gid, Uid, access, chdir, fchownat, setgid, setgroups, setresuid, setsid, setuid,
};
use runj_faults::{Init as Faults, InitPoint, Point};
use runj_jail::{Attachment, Forked};

use super::start_hooks::{HookFailure, StartHooks};
use super::{Limit, platform};
use crate::error::Error;

/// Everything about the new process.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) attachment: Attachment,
    pub(crate) gate: Gate,
    /// The terminal that becomes its standard streams and controls it, and its path.
    pub(crate) terminal: Option<(OwnedFd, CString)>,
    /// How many descriptors from 3 on it keeps.
    pub(crate) preserve_fds: u32,
    /// The files to execute, the first that can be.
    pub(crate) programs: Vec<CString>,
    pub(crate) args: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) cwd: CString,
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    /// As setgroups(2) takes it on this platform.
    pub(crate) groups: Vec<Gid>,
    /// Whether the jail has a super-user (jail(8), `allow.suser`). Without one nobody inside can
    /// become somebody else.
    pub(crate) has_super_user: bool,
    pub(crate) umask: Option<Mode>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) no_new_privileges: bool,
    /// What is run inside before.
    pub(crate) start_hooks: Option<StartHooks>,
    /// What a test wants to happen on its way.
    pub(crate) faults: Faults,
}

/// What the new process waits for, and where it reports to.
#[derive(Debug)]
pub(crate) enum Gate {
    /// It waits twice: outside for its creator, and inside, ready, for `start`.
    Wait {
        /// One byte comes from here once the process is on record and may enter the jail, and it
        /// reports here whether it is ready. It ends at the end of file: its creator is gone.
        creator: OwnedFd,
        /// A listening socket. It goes on when somebody connects to it, and reports there.
        listener: OwnedFd,
        /// A file that is locked (flock(2)) until then: so the kernel tells who waits, and nobody has
        /// to remember.
        waiting: OwnedFd,
    },
    /// It goes on at once and reports there.
    Open(OwnedFd),
}

/// What the new process was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    Session = 1,
    Terminal,
    Start,
    Enter,
    Limits,
    Cwd,
    Groups,
    Gid,
    Uid,
    NoNewPrivileges,
    NotFound,
    Exec,
}

impl Stage {
    const ALL: [Self; 12] = [
        Self::Session,
        Self::Terminal,
        Self::Start,
        Self::Enter,
        Self::Limits,
        Self::Cwd,
        Self::Groups,
        Self::Gid,
        Self::Uid,
        Self::NoNewPrivileges,
        Self::NotFound,
        Self::Exec,
    ];
}

/// Why the new process did not become its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) errno: Errno,
    /// Which one it was, where the stage has a list to go through.
    pub(crate) index: u32,
}

impl Failure {
    /// How many bytes a failure is told in.
    const BYTES: usize = 9;

    pub(crate) fn at(stage: Stage, errno: Errno) -> Self {
        Self { stage, errno, index: 0 }
    }

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.stage as u8;
        bytes[1..5].copy_from_slice(&(self.errno as i32).to_ne_bytes());
        bytes[5..].copy_from_slice(&self.index.to_ne_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let [stage, e0, e1, e2, e3, i0, i1, i2, i3] = bytes;
        let stage = Stage::ALL.into_iter().find(|&known| known as u8 == stage)?;
        let errno = Errno::from_raw(i32::from_ne_bytes([e0, e1, e2, e3]));
        Some(Self { stage, errno, index: u32::from_ne_bytes([i0, i1, i2, i3]) })
    }
}

/// The failure of a stage that has no list to go through.
fn at(stage: Stage) -> impl FnOnce(Errno) -> Failure {
    move |errno| Failure::at(stage, errno)
}

/// Why the new process ends before it is its program.
enum Unsuccessful {
    Failure(Failure),
    Hook(HookFailure),
}

impl From<Failure> for Unsuccessful {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What the new process reported by the time when its socket was closed, which execve(2) does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// It executed its program, or is ready to when it is started.
    Ready,
    Failed(Failure),
    /// A hook failed, and wrote this to its standard error.
    HookFailed(HookFailure, String),
    /// It was killed on its way.
    Died,
}

/// Sent right before execve(2), or before `start` is waited for: the end of the way was reached,
/// whatever follows.
const READY: u8 = 0;

/// Sent before the failure of a hook and what it wrote.
const HOOK_FAILED: u8 = u8::MAX;

/// How much of what a failed hook wrote is told.
const MOST_REPEATED: usize = 512;

impl Report {
    /// More bytes than any report has.
    pub(crate) const MOST_BYTES: u64 = 1024;

    /// Reads a report: [`READY`] where the process came that far, then, if something
    /// failed, the stage and errno.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::Died,
            [READY] => Self::Ready,
            [HOOK_FAILED, failure @ ..] => Self::hook_failure(failure),
            [READY, failure @ ..] | failure => failure
                .try_into()
                .ok()
                .and_then(Failure::from_bytes)
                .map_or(Self::Died, Self::Failed),
        }
    }

    fn hook_failure(bytes: &[u8]) -> Self {
        let failure = bytes.split_first_chunk().and_then(|(failure, text)| {
            let failure = HookFailure::from_bytes(*failure)?;
            Some(Self::HookFailed(failure, String::from_utf8_lossy(text).trim().to_owned()))
        });
        failure.unwrap_or(Self::Died)
    }
}

/// Lists of C strings as execve(2) takes them, borrowed from an [`Entry`].
pub(super) struct Pointers {
    pub(super) args: Vec<*const c_char>,
    pub(super) env: Vec<*const c_char>,
}

impl Pointers {
    fn to(args: &[CString], env: &[CString]) -> Self {
        let null_terminated = |strings: &[CString]| {
            let pointers = strings.iter().map(|string| string.as_ptr());
            pointers.chain([ptr::null()]).collect()
        };
        Self { args: null_terminated(args), env: null_terminated(env) }
    }
}

impl Entry {
    /// Starts the process and tells its pid. What it reports is read with [`Report`].
    pub(crate) fn spawn(&self) -> Result<i32, Error> {
        let pointers = Pointers::to(&self.args, &self.env);
        let hooks = self.start_hooks.iter().flat_map(|hooks| &hooks.hooks);
        let of_hooks: Vec<_> = hooks.map(|hook| Pointers::to(&hook.args, &hook.env)).collect();
        let mut keep = self.kept();
        keep.sort_unstable();
        runj_faults::at(Point::Fork)?;

        // No handler of the caller's may run in the child.
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))
            .map_err(Error::errno("sigprocmask(2)"))?;
        // SAFETY: `live` is async-signal-safe and never returns.
        let pid = match unsafe { self.attachment.fork() } {
            Ok(Forked::Child) => self.live(&pointers, &of_hooks, &keep),
            Ok(Forked::Parent(pid)) => Ok(pid),
            Err(error) => Err(error),
        };
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)
            .map_err(Error::errno("sigprocmask(2)"))?;
        Ok(pid?)
    }

    /// The descriptors that the process needs on its way.
    fn kept(&self) -> Vec<RawFd> {
        let mut keep = match &self.gate {
            Gate::Wait { creator, listener, waiting } => {
                [creator, listener, waiting].map(OwnedFd::as_raw_fd).to_vec()
            }
            Gate::Open(report) => vec![report.as_raw_fd()],
        };
        keep.extend(self.terminal.as_ref().map(|(terminal, _)| terminal.as_raw_fd()));
        keep.extend(self.start_hooks.iter().flat_map(StartHooks::descriptors));
        keep.extend_from_slice(self.attachment.descriptors());
        keep.extend(self.faults.descriptors());
        keep
    }

    /// The child's life.
    fn live(&self, pointers: &Pointers, of_hooks: &[Pointers], keep: &[RawFd]) -> ! {
        let (Gate::Wait { creator: report, .. } | Gate::Open(report)) = &self.gate;
        let mut report = report.as_raw_fd();
        let Err(why) = self.become_program(pointers, of_hooks, keep, &mut report);
        let status = match why {
            Unsuccessful::Failure(Failure { stage: Stage::NotFound, .. }) => 127,
            Unsuccessful::Failure(Failure { stage: Stage::Exec, .. }) => 126,
            _ => 125,
        };
        match why {
            Unsuccessful::Failure(failure) => send(report, &failure.to_bytes()),
            Unsuccessful::Hook(failure) => self.tell_of_hook(report, failure),
        }
        // SAFETY: _exit(2) is what a forked child ends with.
        unsafe { libc::_exit(status) }
    }

    /// Tells why a hook failed, and what it wrote.
    fn tell_of_hook(&self, report: RawFd, failure: HookFailure) {
        send(report, &[HOOK_FAILED]);
        send(report, &failure.to_bytes());
        let hooks = self.start_hooks.as_ref();
        let index = usize::try_from(failure.index).unwrap_or(usize::MAX);
        let Some(hook) = hooks.and_then(|hooks| hooks.hooks.get(index)) else { return };
        let mut text = [0; MOST_REPEATED];
        if let Ok(count) = nix::sys::uio::pread(&hook.complaints, &mut text, 0) {
            send(report, &text[..count]);
        }
    }

    fn become_program(
        &self,
        pointers: &Pointers,
        of_hooks: &[Pointers],
        keep: &[RawFd],
        report: &mut RawFd,
    ) -> Result<Infallible, Unsuccessful> {
        default_signals();
        self.reach(InitPoint::Session, Stage::Session)?;
        setsid().map_err(at(Stage::Session))?;
        platform::forget_login();
        if let Some((terminal, _)) = &self.terminal {
            take_terminal(terminal.as_raw_fd()).map_err(at(Stage::Terminal))?;
        }
        close_all_but(self.preserve_fds, keep);

        match &self.gate {
            Gate::Open(_) => {
                self.enter()?;
                self.take_properties(0)?;
            }
            Gate::Wait { creator, listener, waiting } => {
                self.reach(InitPoint::Recorded, Stage::Start)?;
                wait_for_word(creator.as_raw_fd()).map_err(at(Stage::Start))?;
                self.enter()?;
                let wait = || wait_for_start(creator, listener, waiting).map_err(at(Stage::Start));
                if let Some(hooks) = &self.start_hooks {
                    *report = wait()?;
                    self.reach(InitPoint::Hooks, Stage::Start)?;
                    // As root: what is to be set up inside is hardly the process's own to set up.
                    hooks.run(of_hooks).map_err(Unsuccessful::Hook)?;
                    self.take_properties(0)?;
                } else {
                    // For the connection of `start`, beside what is open.
                    let last = keep.last().and_then(|&last| u32::try_from(last).ok());
                    let room = last.map_or(0, |last| libc::rlim_t::from(last) + 2);
                    self.take_properties(room)?;
                    self.look_for_program()?;
                    *report = wait()?;
                    self.reach(InitPoint::Started, Stage::Start)?;
                    self.take_limits(|limit| !limit.has_room_for(room), 0)?;
                }
            }
        }
        send(*report, &[READY]);
        self.reach(InitPoint::Exec, Stage::Exec)?;
        Err(self.exec(pointers).into())
    }

    /// Does what a test wants to happen at this point.
    fn reach(&self, point: InitPoint, stage: Stage) -> Result<(), Failure> {
        self.faults.at(point).map_err(|fault| Failure::at(stage, fault.errno()))
    }

    /// Enters the jail.
    fn enter(&self) -> Result<(), Failure> {
        self.reach(InitPoint::Enter, Stage::Enter)?;
        if !self.has_super_user {
            self.take_groups()?;
            // To enter takes an effective user who is root.
            let root = Uid::from_raw(0);
            setresuid(self.uid, root, root).map_err(at(Stage::Uid))?;
        }
        self.attachment.enter().map_err(at(Stage::Enter))?;
        if let Some((_, path)) = &self.terminal {
            // Each devfs of FreeBSD has owners of its own. Whatever has that path in there is the
            // container's, and it may be nothing at all.
            let nofollow = AtFlags::AT_SYMLINK_NOFOLLOW;
            let _ = fchownat(AT_FDCWD, path.as_c_str(), Some(self.uid), None, nofollow);
        }
        Ok(())
    }

    /// Takes on all that the process is to have inside; but so many descriptors can be open still.
    fn take_properties(&self, room: libc::rlim_t) -> Result<(), Failure> {
        self.reach(InitPoint::User, Stage::Uid)?;
        self.take_limits(|_| true, room)?;
        chdir(self.cwd.as_c_str()).map_err(at(Stage::Cwd))?;
        if let Some(mask) = self.umask {
            umask(mask);
        }
        if self.has_super_user {
            self.take_groups()?;
            setuid(self.uid).map_err(at(Stage::Uid))?;
        } else {
            // Anybody may give up what is not the real user's.
            setresuid(self.uid, self.uid, self.uid).map_err(at(Stage::Uid))?;
        }
        if self.no_new_privileges {
            platform::no_new_privileges().map_err(at(Stage::NoNewPrivileges))?;
        }
        Ok(())
    }

    fn take_limits(
        &self,
        which: impl Fn(&Limit) -> bool,
        room: libc::rlim_t,
    ) -> Result<(), Failure> {
        for (limit, index) in self.limits.iter().zip(0..).filter(|(limit, _)| which(limit)) {
            let failed = |errno| Failure { stage: Stage::Limits, errno, index };
            limit.with_room_for(room).apply().map_err(failed)?;
        }
        Ok(())
    }

    fn take_groups(&self) -> Result<(), Failure> {
        setgroups(&self.groups).map_err(|errno| Failure::at(Stage::Groups, errno))?;
        setgid(self.gid).map_err(|errno| Failure::at(Stage::Gid, errno))
    }

    /// Says why no program can be executed, as [`exec`](Self::exec) would, as far as that can be
    /// known beforehand: not what is wrong inside the file.
    fn look_for_program(&self) -> Result<(), Failure> {
        let mut failure = Failure::at(Stage::NotFound, Errno::ENOENT);
        for program in &self.programs {
            let executable = stat(program.as_c_str()).and_then(|file| {
                // A directory can be "executed" by access(2), not by execve(2).
                let is_file =
                    SFlag::from_bits_truncate(file.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
                if is_file {
                    access(program.as_c_str(), AccessFlags::X_OK)
                } else {
                    Err(Errno::EACCES)
                }
            });
            match executable {
                Ok(()) => return Ok(()),
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                // Perhaps another directory has one that may be executed.
                Err(Errno::EACCES) => {
                    failure = Failure::at(Stage::Exec, Errno::EACCES);
                }
                Err(errno) => return Err(Failure::at(Stage::Exec, errno)),
            }
        }
        Err(failure)
    }

    /// Executes the first program that can be; says why when none can.
    fn exec(&self, pointers: &Pointers) -> Failure {
        let mut failure = Failure::at(Stage::NotFound, Errno::ENOENT);
        for program in &self.programs {
            // SAFETY: the pointers are to live C strings, and the lists end with null.
            unsafe {
                libc::execve(program.as_ptr(), pointers.args.as_ptr(), pointers.env.as_ptr())
            };
            match Errno::last() {
                errno @ (Errno::ENOENT | Errno::ENOTDIR) => {
                    // The file may well be there, and what is missing be its interpreter.
                    // SAFETY: the pointer is to a live C string.
                    if unsafe { libc::access(program.as_ptr(), libc::F_OK) } == 0 {
                        return Failure::at(Stage::Exec, errno);
                    }
                }
                // Perhaps another directory has one that may be executed.
                Errno::EACCES => {
                    failure = Failure::at(Stage::Exec, Errno::EACCES);
                }
                errno => return Failure::at(Stage::Exec, errno),
            }
        }
        failure
    }
}

/// Like a new process has them: all at their defaults, none blocked.
pub(super) fn default_signals() {
    for signal in 1..=platform::LAST_SIGNAL {
        // SAFETY: SIG_DFL is no function of ours. SIGKILL, SIGSTOP and those that the C library
        // keeps for itself are refused, which is as well.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // Cannot fail with a valid `how`.
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}

/// Makes the terminal the session's, and its standard streams.
fn take_terminal(terminal: RawFd) -> Result<(), Errno> {
    // SAFETY: TIOCSCTTY takes an int by value. Its type differs between the platforms.
    #[allow(clippy::useless_conversion)]
    check(unsafe { libc::ioctl(terminal, libc::TIOCSCTTY.into(), 0) })?;
    for stream in 0..=2 {
        // SAFETY: takes no pointer.
        check(unsafe { libc::dup2(terminal, stream) })?;
    }
    Ok(())
}

/// Closes every descriptor but the standard streams, the preserved ones and `keep`, sorted.
fn close_all_but(preserve: u32, keep: &[RawFd]) {
    let mut first = preserve.saturating_add(3);
    for &fd in keep {
        let Ok(fd) = u32::try_from(fd) else { continue };
        if fd < first {
            continue;
        }
        if fd > first {
            close_range(first, fd - 1);
        }
        first = fd + 1;
    }
    close_range(first, u32::MAX);
}

pub(super) fn close_range(first: u32, last: u32) {
    // SAFETY: nothing in this process uses these descriptors any more.
    let result = unsafe { platform::close_range(first, last) };
    if result == -1 {
        // A kernel without the call: one by one, as far as descriptors can go.
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a live rlimit.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
        let end = c_int::try_from(limit.rlim_cur).unwrap_or(c_int::MAX).min(1 << 20);
        for fd in c_int::try_from(first).unwrap_or(end)..end {
            if u32::try_from(fd).is_ok_and(|fd| fd <= last) {
                // SAFETY: as above.
                unsafe { libc::close(fd) };
            }
        }
    }
}

/// Waits for the creator's word.
fn wait_for_word(creator: RawFd) -> Result<(), Errno> {
    let mut byte = 0u8;
    loop {
        // SAFETY: the pointer is to one byte.
        match Errno::result(unsafe { libc::read(creator, (&raw mut byte).cast(), 1) }) {
            Ok(0) => return Err(Errno::EPIPE),
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Tells the creator that it need not wait any longer, and waits for `start`; gives the connection to
/// that.
fn wait_for_start(
    creator: &OwnedFd,
    listener: &OwnedFd,
    waiting: &OwnedFd,
) -> Result<RawFd, Errno> {
    send(creator.as_raw_fd(), &[READY]);
    // SAFETY: takes no pointer; the descriptor is not used again.
    unsafe { libc::close(creator.as_raw_fd()) };
    let connection = accept(listener.as_raw_fd())?;
    // From here on the container is not created but running, whoever dies.
    // SAFETY: takes no pointer.
    check(unsafe { libc::flock(waiting.as_raw_fd(), libc::LOCK_UN) })?;
    Ok(connection)
}

/// Waits for somebody to connect, and lets nobody else come.
fn accept(listener: RawFd) -> Result<RawFd, Errno> {
    loop {
        // SAFETY: accept(2) is told that nobody wants the peer's address.
        match check(unsafe { libc::accept(listener, ptr::null_mut(), ptr::null_mut()) }) {
            Ok(connection) => {
                // SAFETY: take no pointers; the listener is not used again.
                unsafe {
                    libc::fcntl(connection, libc::F_SETFD, libc::FD_CLOEXEC);
                    libc::close(listener);
                }
                return Ok(connection);
            }
            // Whoever connected did not stay.
            Err(Errno::EINTR | Errno::ECONNABORTED) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Reports; whoever started us may be gone, which is no reason to stop.
fn send(report: RawFd, bytes: &[u8]) {
    // SAFETY: the pointer and the length are those of a live slice.
    unsafe { libc::send(report, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
}

pub(super) fn check(result: c_int) -> Result<c_int, Errno> {
    Errno::result(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::start_hooks::HookEnd;
    use super::*;

    #[test]
    fn a_report_says_how_far_the_process_came() {
        assert_eq!(Report::parse(&[]), Report::Died);
        assert_eq!(Report::parse(&[READY]), Report::Ready);
        for stage in Stage::ALL {
            let failure = Failure { stage, errno: Errno::EACCES, index: 7 };
            let mut bytes = failure.to_bytes().to_vec();
            assert_eq!(Report::parse(&bytes), Report::Failed(failure));
            bytes.insert(0, READY);
            assert_eq!(Report::parse(&bytes), Report::Failed(failure));
        }
        let failure = HookFailure { index: 2, end: HookEnd::Exited(3) };
        let mut bytes = vec![HOOK_FAILED];
        bytes.extend(failure.to_bytes());
        assert_eq!(Report::parse(&bytes), Report::HookFailed(failure, String::new()));
        bytes.extend(b" said\n");
        assert_eq!(Report::parse(&bytes), Report::HookFailed(failure, "said".into()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_a_report_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            Report::parse(&bytes);
        }
    }
}
