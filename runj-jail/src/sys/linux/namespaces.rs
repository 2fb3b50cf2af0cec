//! The namespaces of a jail (namespaces(7)).

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use nix::sched::{CloneFlags, setns};

use super::prison::Holder;
use crate::error::Error;

/// A kind of namespace that a jail may have of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pid,
    Uts,
    Ipc,
    Net,
}

impl Kind {
    pub(super) fn flag(self) -> CloneFlags {
        match self {
            Self::Pid => CloneFlags::CLONE_NEWPID,
            Self::Uts => CloneFlags::CLONE_NEWUTS,
            Self::Ipc => CloneFlags::CLONE_NEWIPC,
            Self::Net => CloneFlags::CLONE_NEWNET,
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Uts => "uts",
            Self::Ipc => "ipc",
            Self::Net => "net",
        }
    }
}

/// The holder's namespace of that kind; `None` when the holder is gone.
pub(super) fn open(holder: Holder, kind: Kind) -> Result<Option<OwnedFd>, Error> {
    let path = format!("/proc/{}/ns/{}", holder.pid, kind.file());
    let opened = File::open(&path);
    // Asked for afterwards: the pid may have been another's only if it is so now as well.
    if !holder.process().is_alive()? {
        return Ok(None);
    }
    match opened {
        Ok(file) => Ok(Some(file.into())),
        Err(source) => Err(Error::Emulation { what: format!("opening {path}"), source }),
    }
}

/// Does something inside a namespace, on a thread of its own, since a thread that has left the
/// host's cannot always come back.
pub(super) fn inside<T: Send>(
    namespace: &(impl AsFd + Sync),
    kind: Kind,
    act: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .spawn_scoped(scope, || {
                setns(namespace, kind.flag()).map_err(Error::system("setns(2)"))?;
                act()
            })
            .map_err(|source| Error::Emulation { what: "starting a thread".into(), source })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
