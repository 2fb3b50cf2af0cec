//! Making the mounts inside the root.

use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use runj_faults::{Point, at};
use runj_jail::Jail;

use super::file_system::FileSystem;
use super::plan::MountPlan;
use super::table::Table;
use super::{copy_up, devices, file_copy};
use crate::beneath::{self, Found, Place};
use crate::error::{Error, whole};
use crate::ledger::Deed;
use crate::store::Locked;
use crate::sys::{self, MountId, MountRefusal, NewMount};

/// The root that mounts are made in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roots<'a> {
    /// The root of the jail: a read-only view of [`written`](Self::written), or the same.
    pub(crate) jail: &'a Path,
    /// The container's root itself.
    pub(crate) written: &'a Path,
}

/// Why a copy of a file does not go into what others may have mounted as well.
const IN_A_VOLUME: &str = "it is in another mount than a tmpfs of the container's own, and this \
                           host cannot mount a single file: a copy would be seen by all who have \
                           that mount";

/// Where a mount goes.
enum Spot {
    /// A directory, and its path on the host.
    Directory(Place, PathBuf),
    /// Something else, in that directory under that name, and its path on the host.
    File(Place, OsString, PathBuf),
}

/// Makes the mount points that have to be made in the root itself, while it can be written to.
///
/// Those below another mount's destination come into being in that mount, later.
pub(crate) fn prepare(
    plans: &[MountPlan],
    root: &Path,
    container: &mut Locked,
) -> Result<(), Error> {
    let fd = open(root)?;
    for (index, plan) in plans.iter().enumerate() {
        let below = |other: &MountPlan| plan.destination.starts_with(&other.destination);
        if !plans[..index].iter().any(below) {
            reach(plan, root, fd.as_fd(), container)?;
        }
    }
    Ok(())
}

/// Mounts everything, in the order of the configuration.
pub(crate) fn mount_all(
    plans: &[MountPlan],
    roots: Roots<'_>,
    jail: Jail,
    container: &mut Locked,
) -> Result<(), Error> {
    let mut private = Vec::new();
    let mut table = Table::read().map_err(Error::errno("the mounts"))?;
    // Nothing is mounted on the root itself, so that what is mounted in it is seen from here.
    let fd = open(roots.jail)?;
    for plan in plans {
        match reach(plan, roots.jail, fd.as_fd(), container)? {
            Spot::Directory(place, path) => {
                let id = mount_directory(plan, &place, &path, jail, &mut table, container)?;
                if plan.file_system.fstype == "tmpfs" {
                    private.push(id);
                }
            }
            Spot::File(place, name, path) if sys::MOUNTS_FILES => {
                let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
                let target = openat(&place.fd, name.as_os_str(), flags, Mode::empty())
                    .map_err(|errno| refused(plan, errno.desc().to_owned()))?;
                mount_on(plan, &target, &path, jail, &mut table, container)?;
            }
            Spot::File(place, name, _) => {
                let here = sys::mount_of(&place.fd).map_err(Error::errno("the mounts"))?;
                // What is in no mount is in the root, which may be shown read-only.
                let root = if sys::mount_of(&fd).map_err(Error::errno("the mounts"))? == here {
                    roots.written
                } else if private.contains(&here) {
                    roots.jail
                } else {
                    return Err(refused(plan, IN_A_VOLUME.into()));
                };
                copy_file(plan, root, &place.path.join(name), container)?;
            }
        }
    }
    Ok(())
}

fn mount_directory(
    plan: &MountPlan,
    place: &Place,
    path: &Path,
    jail: Jail,
    table: &mut Table,
    container: &mut Locked,
) -> Result<MountId, Error> {
    let readable = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let failed = |reason| mount_error(plan, reason);
    // Opened while it can be reached.
    let covered = plan.copy_up.then(|| openat(&place.fd, ".", readable, Mode::empty()));
    let covered = covered.transpose().map_err(|errno| failed(errno.desc().to_owned()))?;
    let made = mount_on(plan, &place.fd, path, jail, table, container)?;
    if let Some(covered) = covered {
        at(Point::CopyUp)?;
        copy_up::copy(covered, &made.root)
            .map_err(|error| failed(format!("tmpcopyup: {}", whole(&error))))?;
        if plan.file_system.attributes.read_only {
            at(Point::MakeReadOnly)?;
            sys::make_read_only(&made, &plan.file_system)
                .map_err(|refusal| failed(refusal.to_string()))?;
        }
    }
    devices::apply(plan, &made.root)?;
    Ok(made.id)
}

/// Mounts what is planned on `target`, whose path on the host is `path`.
fn mount_on(
    plan: &MountPlan,
    target: &OwnedFd,
    path: &Path,
    jail: Jail,
    table: &mut Table,
    container: &mut Locked,
) -> Result<NewMount, Error> {
    let covered = table.count_on(path, target).map_err(Error::errno("the mounts"))?;
    // Neither kernel could take one of two containers' mounts away below the other's.
    if covered > 0 {
        refuse_to_share(plan, container)?;
    }
    let mut file_system = plan.file_system.clone();
    if plan.copy_up {
        // It becomes read-only once it is filled.
        file_system.attributes.read_only = false;
    }
    let made = mount(&file_system, target, path, covered, Some(jail), container)
        .map_err(|reason| mount_error(plan, reason))?;
    table.add(made.id, path);
    Ok(made)
}

/// Puts a copy of a file in place, on a host that cannot mount a single file.
fn copy_file(
    plan: &MountPlan,
    root: &Path,
    path: &Path,
    container: &mut Locked,
) -> Result<(), Error> {
    tracing::warn!(
        "{}: {:?} is copied, since this host cannot mount a single file: what is changed later on \
         one side is not seen on the other, \"ro\" does not keep the container from writing into \
         its copy, and a crash of the host does not take the copy away: delete does",
        plan.place,
        plan.file_system.from
    );
    let failed = |reason| mount_error(plan, reason);
    let copy = file_copy::announce(&plan.file_system, root, path, container).map_err(failed)?;
    // Only now: a container that is created at the same time sees that, or we see its record.
    refuse_to_share(plan, container)?;
    copy.put(container).map_err(failed)
}

/// Refuses what another container with the same root would have to see.
fn refuse_to_share(plan: &MountPlan, container: &Locked) -> Result<(), Error> {
    let Some(record) = container.directory().read()? else { return Ok(()) };
    match container.sharer(&record.root)? {
        None => Ok(()),
        Some(other) => Err(refused(
            plan,
            format!("container {}, which has the same root, mounts there", other.id()),
        )),
    }
}

/// Shows `root` read-only at `view`, a directory of ours.
pub(crate) fn mount_read_only(
    root: &Path,
    view: &Path,
    container: &mut Locked,
) -> Result<(), Error> {
    at(Point::View)?;
    fs::create_dir(view).map_err(Error::io(format!("{view:?}")))?;
    let file_system = FileSystem::read_only_view(root);
    mount(&file_system, &open(view)?, view, 0, None, container).map(drop).map_err(|reason| {
        Error::Mount {
            place: "config.json: root.readonly".into(),
            fstype: "nullfs".into(),
            destination: "/".into(),
            reason,
        }
    })
}

/// Mounts on `target`, whose path on the host is `path` and has so many mounts already; an error
/// is the reason in words.
fn mount(
    file_system: &FileSystem,
    target: &OwnedFd,
    path: &Path,
    covered: usize,
    jail: Option<Jail>,
    container: &mut Locked,
) -> Result<NewMount, String> {
    container
        .record(&Deed::Mount { path: path.to_owned(), covered })
        .map_err(|error| whole(&error))?;
    let made = at(Point::Mount)
        .map_err(|fault| MountRefusal::from(fault.errno()))
        .and_then(|()| sys::mount(file_system, target, jail))
        .map_err(|refusal| refusal.to_string())?;
    container.record(&Deed::Mounted { id: made.id }).map_err(|error| whole(&error))?;
    Ok(made)
}

/// Finds the mount's destination inside the root, making what is missing, and tells its path on
/// the host.
fn reach(
    plan: &MountPlan,
    root: &Path,
    fd: BorrowedFd<'_>,
    container: &mut Locked,
) -> Result<Spot, Error> {
    let failed = |errno: Errno| refused(plan, errno.desc().to_owned());
    // Each turn makes one directory, so as many turns as names are missing at first are enough,
    // but for a container that removes them at the same time.
    let mut turns = None;
    loop {
        match beneath::find(fd, &plan.destination).map_err(failed)? {
            Found::Directory(place) if place.path.as_os_str().is_empty() => {
                return Err(refused(plan, "it leads to the container's root".into()));
            }
            Found::Directory(place) if plan.directory => {
                let path = root.join(&place.path);
                return Ok(Spot::Directory(place, path));
            }
            Found::Other(place, name) if !plan.directory => {
                let path = root.join(&place.path).join(&name);
                return Ok(Spot::File(place, name, path));
            }
            Found::Directory(_) => {
                return Err(refused(plan, "it is a directory, and the source is not".into()));
            }
            Found::Other(..) => {
                return Err(refused(plan, "it is no directory".into()));
            }
            Found::Missing(place, names) => {
                let turns = turns.get_or_insert(2 * names.len());
                let Some(name) = names.front().filter(|_| *turns > 0) else {
                    return Err(refused(plan, "it keeps changing".into()));
                };
                *turns -= 1;
                let directory = plan.directory || names.len() > 1;
                container.record(&Deed::MountPoint {
                    root: root.to_owned(),
                    path: place.path.join(name),
                    directory,
                })?;
                at(Point::MountPoint)?;
                let made = if directory {
                    beneath::make_directory(&place, name)
                } else {
                    beneath::make_file(&place, name)
                };
                match made {
                    // Made by somebody else meanwhile: look again.
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(errno) => return Err(failed(errno)),
                }
            }
        }
    }
}

fn refused(plan: &MountPlan, reason: String) -> Error {
    Error::Unusable {
        place: plan.destination_place.clone(),
        value: format!("{:?}", plan.destination),
        reason,
    }
}

fn mount_error(plan: &MountPlan, reason: String) -> Error {
    Error::Mount {
        place: plan.place.clone(),
        fstype: plan.file_system.fstype.clone(),
        destination: plan.destination.clone(),
        reason,
    }
}

fn open(root: &Path) -> Result<OwnedFd, Error> {
    beneath::open_root(root).map_err(Error::errno(format!("{root:?}")))
}
