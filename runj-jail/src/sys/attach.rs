//! Entering a jail with a new process.

use std::os::fd::RawFd;

use nix::errno::Errno;

use super::platform;
use crate::error::Error;
use crate::jid::Jid;

/// All that a new process needs to enter a jail, made ready before it exists.
///
/// A process enters a jail for good, with everything that it has open, so it is a process made
/// for that: [`fork`](Self::fork) makes it and [`enter`](Self::enter), called in it, attaches it.
/// Between the two the child may do what has to be done outside.
#[derive(Debug)]
pub struct Attachment(platform::Attachment);

/// On which side of a fork(2) one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// In the process that forked; the child has this pid.
    Parent(i32),
    /// In the child.
    Child,
}

impl Attachment {
    pub(crate) fn new(jid: Jid) -> Result<Self, Error> {
        platform::Attachment::new(jid).map(Self)
    }

    /// Forks a process that is able to enter the jail.
    ///
    /// # Errors
    ///
    /// When the kernel refuses, for instance with `EAGAIN`.
    ///
    /// # Safety
    ///
    /// Of the caller's threads only this one lives on in the child. Until it has called
    /// execve(2) or `_exit`(2) the child may only call async-signal-safe functions (sigaction(2)),
    /// unless the caller had no other thread; above all it must not allocate.
    pub unsafe fn fork(&self) -> Result<Forked, Error> {
        // SAFETY: the caller keeps to fork's rules, which are this function's own.
        unsafe { self.0.fork() }
    }

    /// The descriptors that [`enter`](Self::enter) needs. A child that closes what it does not
    /// need keeps these open until then. All of them are close-on-exec.
    #[must_use]
    pub fn descriptors(&self) -> &[RawFd] {
        self.0.descriptors()
    }

    /// Enters the jail (`jail_attach(2)`); to be called in the child, async-signal-safe.
    ///
    /// The root and the working directory become the jail's root. From before the entry until the
    /// next execve(2) nobody can trace the process or read its memory: root in the jail otherwise
    /// could, and would find there what belongs to the host.
    ///
    /// # Errors
    ///
    /// `EPERM` when a directory is open, since it would be a way out of the jail; `EINVAL` when
    /// the jail is gone; `EBUSY` when the process is traced already (procctl(2), `PROC_TRACE_CTL`).
    pub fn enter(&self) -> Result<(), Errno> {
        self.0.enter()
    }
}
