//! Undoing what was done for a container, whoever did it and however far it came.

use std::cell::OnceCell;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use runj_faults::{Point, at};
use runj_jail::{Jail, JailName, Jid, ProcessId, Signal};

use crate::beneath;
use crate::error::{Error, whole};
use crate::ledger::Deed;
use crate::limits;
use crate::mounts::{self, Table};
use crate::record::Record;
use crate::runtime::{is_jail_of, jail_of};
use crate::store::{ContainerDirectory, Locked};
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
    let directory = container.directory();
    let id = directory.id();
    let deeds = directory.deeds()?;
    // After a boot only what is on disks is left, and a jid or a mount may be somebody else's.
    let this_boot = record.is_none_or(Record::is_of_this_boot);
    let mut problems = Vec::new();

    if this_boot {
        if let Some(record) = record {
            check_ledger(directory, record, &deeds)?;
        }
        end_hooks(&deeds)?;
        if let Some(init) = record.and_then(Record::init) {
            at(Point::EndInit)?;
            if init.signal(Signal::KILL)? && !init.wait(PATIENCE)? {
                return Err(Error::Unkillable(id.clone()));
            }
        }
        let jail = record.map_or(Ok(None), |record| made_jail(record, &deeds))?;
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
    }
    // A mount point in a root that more than one container shows read-only is all of theirs.
    let read_only = record.filter(|record| record.jail_path != record.root);
    let heir = read_only.map_or(Ok(None), |record| container.sharer(&record.root))?;
    let is_shared =
        |root: &Path| heir.is_some() && record.is_some_and(|record| record.root == root);
    let mounted = OnceCell::new();
    let mut left = Vec::new();
    let mut inherited = Vec::new();
    for (index, deed) in deeds.iter().enumerate().rev() {
        let undone = match deed {
            Deed::Mount { path, covered } if this_boot => {
                let id = match deeds.get(index + 1) {
                    Some(Deed::Mounted { id }) => Some(*id),
                    _ => None,
                };
                let root = record.map_or(path.as_path(), |record| record.jail_path.as_path());
                at(Point::Unmount)
                    .map_err(Errno::from)
                    .and_then(|()| {
                        mounted.get_or_init(Table::read).as_ref().map_err(|errno| *errno)
                    })
                    .and_then(|mounted| mounted.unmount(path, *covered, id, root))
                    .map_err(|errno| format!("unmount {path:?}: {errno}"))
            }
            Deed::OwnMounts { before } if this_boot => {
                let root = record.map(|record| record.jail_path.as_path());
                let others = deeds_of_others(container)?;
                root.map_or(Ok(()), |root| mounts::unmount_own(root, before, &others))
                    .map_err(|errno| format!("unmount what the container mounted: {errno}"))
            }
            Deed::MountPoint { root, path, directory }
            | Deed::Inherited { root, path, directory }
                if is_shared(root) =>
            {
                let (root, path) = (root.clone(), path.clone());
                left.push(Deed::Inherited { root, path, directory: *directory });
                Ok(())
            }
            Deed::MountPoint { root, path, directory } => {
                remove_mount_point(root, path, *directory)
            }
            Deed::Rule { jail, rule } if this_boot => at(Point::RemoveRule)
                .map_err(Error::from)
                .and_then(|()| Ok(limits::undo(jail, rule)?))
                .map_err(|error| format!("rule {rule}: {}", whole(&error))),
            Deed::FileCopy { root, path, kept } => {
                let kept = kept.as_os_str();
                let others = mounts::copies_of_others(container)?;
                let undone = at(Point::UndoCopy)
                    .map_err(Errno::from)
                    .and_then(|()| mounts::undo_file_copy(root, path, kept, &others));
                match undone {
                    Err(errno) if is_for_good(errno) => {
                        tracing::warn!("{:?} stays a copy: {errno}", root.join(path));
                        Ok(())
                    }
                    undone => undone.map_err(|errno| format!("{:?}: {errno}", root.join(path))),
                }
            }
            Deed::Inherited { root, path, directory } => {
                // Our own mounts on it come later in this order.
                inherited.push((root, path, *directory));
                Ok(())
            }
            // Undone before, in an order of their own, or by the boot.
            Deed::Mount { .. }
            | Deed::Mounted { .. }
            | Deed::FileCopied(_)
            | Deed::OwnMounts { .. }
            | Deed::Jail { .. }
            | Deed::JailMade { .. }
            | Deed::Rule { .. }
            | Deed::Network(_)
            | Deed::Hook { .. } => Ok(()),
        };
        problems.extend(undone.err());
    }
    for (root, path, directory) in inherited {
        problems.extend(remove_mount_point(root, path, directory).err());
    }
    if let Some(heir) = heir {
        left.reverse();
        at(Point::Inherit)?;
        heir.inherit(&left)?;
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Leftovers { id: id.clone(), problems }) }
}

/// Checks that the ledger has at least the jail that the record has. It was written before, so if
/// not, somebody has taken it away, and with it what there is to be undone.
fn check_ledger(
    directory: &ContainerDirectory,
    record: &Record,
    deeds: &[Deed],
) -> Result<(), Error> {
    let Some(jid) = record.jid else { return Ok(()) };
    // Without the jail all was undone before, and only the state is left.
    if deeds.contains(&Deed::JailMade { jid }) || jail_of(record)?.is_none() {
        return Ok(());
    }
    let (path, reason) = (directory.ledger_file(), format!("it does not have jail {jid}"));
    Err(Error::BadState { path, reason })
}

/// What was done for the other containers since the host was booted.
fn deeds_of_others(container: &Locked) -> Result<Vec<Vec<Deed>>, Error> {
    let others = container.others()?.into_iter();
    let alive = others.filter(|(_, record)| record.is_of_this_boot());
    // One that is gone meanwhile has done nothing.
    Ok(alive.filter_map(|(other, _)| other.deeds().ok()).collect())
}

/// Ends the hooks that have not ended by themselves.
pub(crate) fn end_hooks(deeds: &[Deed]) -> Result<(), Error> {
    for deed in deeds {
        if let Deed::Hook { pid, start } = deed
            && ProcessId::recorded(*pid, *start).is_alive()?
        {
            at(Point::EndHook)?;
            sys::kill_group(*pid);
        }
    }
    Ok(())
}

/// The jail that was made for the container, living or dying.
fn made_jail(record: &Record, deeds: &[Deed]) -> Result<Option<Jail>, Error> {
    let jid = deeds.iter().find_map(|deed| match deed {
        Deed::JailMade { jid } => Jid::try_from(*jid).ok(),
        _ => None,
    });
    if let Some(jid) = jid {
        return Ok(Jail::remains(jid)?.filter(|jail| is_jail_of(record, *jail)));
    }
    // Whoever made it was killed before it could tell the jid: it still has the name that no
    // other jail has.
    let name = deeds.iter().find_map(|deed| match deed {
        Deed::Jail { name } => name.parse::<JailName>().ok(),
        _ => None,
    });
    Ok(name.map_or(Ok(None), |name| Jail::find(&name))?)
}

/// Removes a mount point that was made. One that the container has made use of, or has protected
/// (chflags(1)), stays in its root and harms nobody.
fn remove_mount_point(root: &Path, path: &Path, directory: bool) -> Result<(), String> {
    let removed = at(Point::RemoveMountPoint)
        .map_err(Errno::from)
        .and_then(|()| beneath::open_root(root))
        .and_then(|fd| beneath::remove_made(fd.as_fd(), path, directory));
    match removed {
        Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
        Err(errno) if is_for_good(errno) => {
            tracing::warn!("{:?} stays: {errno}", root.join(path));
            Ok(())
        }
        Err(errno) => Err(format!("{:?}: {errno}", root.join(path))),
    }
}

/// Whether a file in a root cannot be removed or renamed because of what the container, or somebody
/// else, has done to it: to try again would change nothing.
fn is_for_good(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EPERM
            | Errno::EACCES
            | Errno::EBUSY
            | Errno::EEXIST
            | Errno::EISDIR
            | Errno::ELOOP
            | Errno::ENOTEMPTY
            | Errno::EROFS
    )
}

/// Removes the jail and waits until nobody lives in it. It may stay *dying* for longer, which is
/// no reason to wait: its name is free, and its mounts can be taken from it.
fn remove(jail: Jail, container: &Locked) -> Result<(), Error> {
    /// How long those may take that were killed.
    const TURN: Duration = Duration::from_millis(500);
    at(Point::RemoveJail)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        // More than once, since the kernel passes over a process that is only just being forked
        // (`prison_remove_one`, sys/kern/kern_jail.c). Of those that make each other on and on fewer
        // are left each time.
        jail.remove()?;
        if jail.wait_empty(TURN)? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Error::Unkillable(container.directory().id().clone()));
        }
    }
}
