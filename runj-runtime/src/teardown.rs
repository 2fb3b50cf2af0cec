//! Undoing what was done for a container, whoever did it and however far it came.

use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use nix::errno::Errno;
use runj_jail::{Jail, Signal};

use crate::beneath;
use crate::error::{Error, whole};
use crate::ledger::Deed;
use crate::mounts;
use crate::record::Record;
use crate::runtime::jail_of;
use crate::store::Locked;
use crate::sys;

/// How long killed processes may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Undoes a container that could not be created. The error that matters is why it could not.
pub(crate) fn after_failure(container: Locked) {
    let id = container.directory().id().clone();
    let undone = container
        .directory()
        .read()
        .and_then(|record| {
            undo(&container, record.as_ref())?;
            // Dead by now, and our child.
            if let Some(init) = record.and_then(|record| record.init()) {
                sys::collect(init.pid());
            }
            Ok(())
        })
        .and_then(|()| container.remove());
    if let Err(error) = undone {
        tracing::warn!("undoing the creation of {id}: {}", whole(&error));
    }
}

/// Ends the container's processes and undoes what its ledger lists, the last deed first.
///
/// The jail is not undone in its turn but before everything else: its processes are what keeps
/// the rest busy. Only interfaces are taken out of it before, while it is there.
pub(crate) fn undo(container: &Locked, record: Option<&Record>) -> Result<(), Error> {
    let id = container.directory().id();
    let deeds = container.deeds()?;
    let mut problems = Vec::new();

    let jail = match record {
        Some(record) => {
            if let Some(init) = record.init() {
                init.signal(Signal::KILL)?;
                if !init.wait(PATIENCE)? {
                    return Err(Error::Unkillable(id.clone()));
                }
            }
            // Without the deed any jail of that name is somebody else's.
            if deeds.contains(&Deed::Jail) { jail_of(record)? } else { None }
        }
        None => None,
    };
    for deed in deeds.iter().rev() {
        if let Deed::Network(deed) = deed
            && let Err(error) = deed.undo(jail)
        {
            problems.push(whole(&error));
        }
    }
    if let Some(jail) = jail {
        remove(jail, container)?;
    }
    for deed in deeds.iter().rev() {
        if let Err(problem) = undo_one(deed) {
            problems.push(problem);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Leftovers { id: id.clone(), problems }) }
}

/// Removes the jail and waits until nobody lives in it. It may stay *dying* for longer, which is
/// no reason to wait: its name is free, and its mounts can be taken from it.
fn remove(jail: Jail, container: &Locked) -> Result<(), Error> {
    let inhabitants = jail.processes()?;
    jail.remove()?;
    for process in inhabitants {
        if !process.wait(PATIENCE)? {
            return Err(Error::Unkillable(container.directory().id().clone()));
        }
    }
    // Those that were forked while we looked.
    if jail.wait_empty(PATIENCE)? {
        Ok(())
    } else {
        Err(Error::Unkillable(container.directory().id().clone()))
    }
}

fn undo_one(deed: &Deed) -> Result<(), String> {
    match deed {
        Deed::Mount { path, covered } => {
            mounts::unmount(path, *covered).map_err(|errno| format!("unmount {path:?}: {errno}"))
        }
        Deed::MountPoint { root, path, directory } => {
            let undone = match beneath::open_root(root) {
                Ok(fd) => beneath::remove_made(fd.as_fd(), path, *directory),
                // The root itself is gone.
                Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
                Err(errno) => Err(errno),
            };
            undone.map_err(|errno| format!("remove {:?}: {errno}", root.join(path)))
        }
        Deed::PidFile { path } => match fs::remove_file(path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("remove {path:?}: {error}")),
        },
        // Undone before, in an order of their own.
        Deed::Jail | Deed::Network(_) => Ok(()),
    }
}
