//! The one owner of all waiting for processes.
//!
//! The shim is the reaper of everything below it (prctl(2) `PR_SET_CHILD_SUBREAPER`, procctl(2)
//! `PROC_REAP_ACQUIRE`): containers' processes are children of `runj`, which does not stay, and
//! become the shim's. All are collected here and nowhere else, so that no end is lost, however
//! early it comes, and no pid is anybody else's until its end has been told.

use std::collections::HashMap;
use std::io;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::error::Error;
use crate::exit::Exit;
use crate::sys;

/// The reaper. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reaper {
    ends: Arc<Mutex<Ends>>,
}

#[derive(Debug, Default)]
struct Ends {
    awaited: HashMap<i32, oneshot::Sender<Exit>>,
    /// Of processes that nobody has asked for (yet), while there are launches.
    early: HashMap<i32, Exit>,
    launches: usize,
}

/// As long as it lives, the ends of all processes are kept: one of them is about to be asked for.
#[derive(Debug)]
pub(crate) struct Launch {
    reaper: Reaper,
}

/// The end of a process, when it comes.
pub(crate) type End = oneshot::Receiver<Exit>;

impl Reaper {
    /// Becomes the reaper of everything below this process, and waits from now on.
    pub(crate) fn start() -> Result<Self, Error> {
        sys::become_reaper().map_err(Error::io("becoming the reaper"))?;
        let mut child = signal(SignalKind::child()).map_err(Error::io("SIGCHLD"))?;
        let reaper = Self::default();
        let theirs = reaper.clone();
        tokio::spawn(async move {
            loop {
                theirs.collect();
                if child.recv().await.is_none() {
                    return;
                }
            }
        });
        Ok(reaper)
    }

    /// Starts a program. Its end is not lost, since nothing is collected meanwhile: all happens on
    /// one thread.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<(i32, End)> {
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        Ok((pid, self.await_end(pid)))
    }

    /// Announces that some process's pid will be known in a moment.
    pub(crate) fn launch(&self) -> Launch {
        self.lock().launches += 1;
        Launch { reaper: self.clone() }
    }

    fn await_end(&self, pid: i32) -> End {
        let (sender, end) = oneshot::channel();
        self.lock().awaited.insert(pid, sender);
        end
    }

    fn collect(&self) {
        // Once for each process that has ended, until there is none (any more).
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let status = match (status.exit_status(), status.terminating_signal()) {
                (Some(status), _) => status,
                (None, Some(signal)) => 128 + signal,
                // Not an end.
                (None, None) => continue,
            };
            let exit = Exit::now(u32::try_from(status).unwrap_or(u32::MAX));
            let pid = pid.as_raw_nonzero().get();
            let mut ends = self.lock();
            if let Some(sender) = ends.awaited.remove(&pid) {
                // Whoever asked may have lost interest.
                let _ = sender.send(exit);
            } else if ends.launches > 0 {
                ends.early.insert(pid, exit);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Launch {
    /// The end of the process that was launched, which may have come already.
    pub(crate) fn end_of(&self, pid: i32) -> End {
        let early = self.reaper.lock().early.remove(&pid);
        match early.filter(|_| !is_child(pid)) {
            Some(exit) => {
                let (sender, end) = oneshot::channel();
                let _ = sender.send(exit);
                end
            }
            // What ended early was another process that had the same pid.
            None => self.reaper.await_end(pid),
        }
    }
}

impl Drop for Launch {
    fn drop(&mut self) {
        let mut ends = self.reaper.lock();
        ends.launches -= 1;
        if ends.launches == 0 {
            ends.early.clear();
        }
    }
}

/// Whether there is a child of that pid, running or not collected yet.
fn is_child(pid: i32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Pid::from_raw(pid).is_some_and(|pid| rustix::process::waitid(WaitId::Pid(pid), options).is_ok())
}
