//! Staying with a process until its end: its signals, its terminal, its exit status.

use std::io::{self, IsTerminal as _, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Error};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use runj_runtime::{Started, copy_terminal_size};
use signal_hook::consts::signal as signals;
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// What is passed on to the process. The others end or stop runj itself, or cannot be caught.
const PASSED_ON: &[i32] = &[
    signals::SIGHUP,
    signals::SIGINT,
    signals::SIGQUIT,
    signals::SIGTERM,
    signals::SIGUSR1,
    signals::SIGUSR2,
    signals::SIGALRM,
    signals::SIGCONT,
    signals::SIGTSTP,
    signals::SIGTTIN,
    signals::SIGTTOU,
];

/// Makes sure that the kernel tells how children end, hooks among them: it does not when whoever
/// called us ignores SIGCHLD (wait(2)), and ignoring is inherited.
pub(crate) fn notice_children() -> Result<(), Error> {
    flag::register(signals::SIGCHLD, Arc::default()).context("cannot catch SIGCHLD")?;
    Ok(())
}

/// Catches signals from before the process exists, so that none is lost.
pub(crate) struct Foreground {
    signals: Signals,
}

impl Foreground {
    pub(crate) fn prepare() -> Result<Self, Error> {
        let caught = PASSED_ON.iter().chain(&[signals::SIGCHLD, signals::SIGWINCH]);
        let signals = Signals::new(caught.clone()).context("cannot catch signals")?;
        // Whoever called us may have blocked some, and we would wait for them in vain.
        let caught = caught.filter_map(|&signal| Signal::try_from(signal).ok());
        SigSet::from_iter(caught).thread_unblock().context("cannot unblock signals")?;
        Ok(Self { signals })
    }

    /// Waits for the process's end; its exit status, or 128 and the signal that ended it.
    pub(crate) fn wait(mut self, started: Started) -> Result<ExitCode, Error> {
        let pid = Pid::from_raw(started.pid);
        let relay = started.terminal.map(Relay::start).transpose()?;
        let status = loop {
            // Asked before waiting: it may have ended before the first signal was caught.
            match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, status)) => break status,
                Ok(WaitStatus::Signaled(_, signal, _)) => break 128 + signal as i32,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno).context("waiting for the container's process"),
            }
            for signal in self.signals.wait() {
                match signal {
                    signals::SIGCHLD => {}
                    signals::SIGWINCH => {
                        if let Some(relay) = &relay {
                            relay.resize();
                        }
                    }
                    signal => {
                        // It is our child and not collected yet, so the pid is its own.
                        if let Ok(signal) = Signal::try_from(signal) {
                            let _ = kill(pid, signal);
                        }
                    }
                }
            }
        };
        if let Some(relay) = relay {
            relay.finish();
        }
        Ok(ExitCode::from(u8::try_from(status & 0xff).unwrap_or(u8::MAX)))
    }
}

/// Copies between our standard streams and the process's terminal.
struct Relay {
    master: OwnedFd,
    output: JoinHandle<()>,
    /// Closed to tell that the process has ended.
    running: OwnedFd,
    /// Our own terminal as it was.
    before: Option<Termios>,
}

impl Relay {
    fn start(master: OwnedFd) -> Result<Self, Error> {
        let before = raw_mode().context("standard input")?;
        let failed = "the container's terminal";
        let to_process = master.try_clone().context(failed)?;
        let from_process = master.try_clone().context(failed)?;
        let (ended, running) = io::pipe().context("pipe(2)")?;
        // It waits in read(2) until the end of runj, and ends with it.
        thread::spawn(move || copy(io::stdin(), std::fs::File::from(to_process)));
        let output = thread::spawn(move || copy_output(from_process, &ended.into()));
        let relay = Self { master, output, running: running.into(), before };
        relay.resize();
        Ok(relay)
    }

    /// Gives the process's terminal the size of ours.
    fn resize(&self) {
        // Standard input may be no terminal; then there is no size to give.
        let _ = copy_terminal_size(io::stdin(), &self.master);
    }

    /// Passes on what the process wrote before it ended.
    fn finish(self) {
        drop(self.running);
        // It does not panic, and if it did there would be nothing more to pass on.
        let _ = self.output.join();
        if let Some(before) = self.before {
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &before);
        }
    }
}

/// Lets our terminal pass everything on as it is typed; tells how it was before.
fn raw_mode() -> Result<Option<Termios>, Errno> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let before = tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    cfmakeraw(&mut raw);
    tcsetattr(io::stdin(), SetArg::TCSANOW, &raw)?;
    Ok(Some(before))
}

fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = [0; 8192];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                if to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Copies the process's output until the terminal is closed, or the process has ended and what it
/// wrote is read: others in the container may hold the terminal open for longer.
fn copy_output(from: OwnedFd, ended: &OwnedFd) {
    let mut buffer = [0; 8192];
    loop {
        let mut fds = [
            PollFd::new(from.as_fd(), PollFlags::POLLIN),
            PollFd::new(ended.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
        let any = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
        if any(&fds[0]) {
            match nix::unistd::read(&from, &mut buffer) {
                Ok(0) | Err(Errno::EIO) => return,
                Ok(count) => {
                    let mut stdout = io::stdout();
                    if stdout.write_all(&buffer[..count]).and_then(|()| stdout.flush()).is_err() {
                        return;
                    }
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(_) => return,
            }
        } else if any(&fds[1]) {
            return;
        }
    }
}
