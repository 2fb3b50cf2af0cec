//! The cgroups of jails, which do here what rctl(4) and cpuset(2) do on FreeBSD (cgroups(7)).
//!
//! A controller has either a hierarchy of its own (version 1) or is one of those of the common
//! hierarchy (version 2); a host may have both kinds. In a hierarchy the cgroup of a jail is
//! `runj-jails/JID`. It is made when something is limited for the first time, and has the processes
//! of the jail, not those of jails below it: no more than theirs FreeBSD's rules are about.

use std::collections::HashSet;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::prison::Prison;
use super::process;
use crate::error::Error;

/// What a cgroup can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Cpu,
    Cpuset,
    Memory,
    Pids,
}

impl Controller {
    const ALL: [Self; 4] = [Self::Cpu, Self::Cpuset, Self::Memory, Self::Pids];

    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cpuset => "cpuset",
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }
}

/// Which kind of hierarchy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A hierarchy that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    version: Version,
    mount: PathBuf,
    controllers: Vec<Controller>,
}

/// A jail's cgroup for one controller.
#[derive(Debug)]
pub(super) struct Cgroup {
    pub(super) version: Version,
    directory: PathBuf,
}

/// The name of the cgroup of all jails.
const ALL_JAILS: &str = "runj-jails";

impl Cgroup {
    /// The jail's cgroup if there is one.
    pub(super) fn find(prison: &Prison, controller: Controller) -> Result<Option<Self>, Error> {
        let Some(hierarchy) = of_controller(controller)? else { return Ok(None) };
        let directory = hierarchy.directory(prison);
        let version = hierarchy.version;
        Ok(directory.is_dir().then_some(Self { version, directory }))
    }

    /// The jail's cgroup, which is made if it has to be; all that is in the jail is in it then.
    /// An error is the reason in words why there can be none.
    pub(super) fn make(prison: &Prison, controller: Controller) -> Result<Self, String> {
        let hierarchy = of_controller(controller).map_err(|error| error.to_string())?;
        let hierarchy = hierarchy.ok_or_else(|| {
            let name = controller.name();
            format!("the host has no cgroups with the controller {name}, or shows none")
        })?;
        let cgroup = Self { version: hierarchy.version, directory: hierarchy.directory(prison) };
        if !cgroup.directory.is_dir() {
            hierarchy.make(&cgroup.directory, controller)?;
            cgroup.fill(prison).map_err(|error| error.to_string())?;
        }
        Ok(cgroup)
    }

    /// Moves what is in the jail here.
    fn fill(&self, prison: &Prison) -> Result<(), Error> {
        let Some(holder) = prison.holder else { return Ok(()) };
        let door = self.directory.join(DOOR);
        let mut moved = HashSet::from([holder.process()]);
        loop {
            let mut news = false;
            for process in process::in_namespaces(&HashSet::from([holder.namespace]))? {
                if !moved.insert(process) {
                    continue;
                }
                match write(&door, &process.pid().to_string()) {
                    Ok(()) => news = true,
                    // It has ended.
                    Err(Errno::ESRCH) => {}
                    Err(errno) => return Err(failed("writing", &door, errno.into())),
                }
            }
            // One that forked before it was moved has a child that was not.
            if !news {
                return Ok(());
            }
        }
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.directory.join(file).exists()
    }

    pub(super) fn read(&self, file: &str) -> Result<String, Error> {
        let path = self.directory.join(file);
        let text = fs::read_to_string(&path).map_err(|error| failed("reading", &path, error))?;
        Ok(text.trim_end().to_owned())
    }

    pub(super) fn write(&self, file: &str, value: impl ToString) -> Result<(), Errno> {
        write(&self.directory.join(file), &value.to_string())
    }
}

/// The file of a cgroup that takes processes in.
const DOOR: &str = "cgroup.procs";

/// The files, as far as they are there at the time, by which a process enters the jail's cgroups.
pub(super) fn doors(prison: &Prison) -> Result<Vec<CString>, Error> {
    let door = |hierarchy: &Hierarchy| {
        let path = hierarchy.directory(prison).join(DOOR);
        // A mount point has no NUL byte in it.
        CString::new(path.into_os_string().into_vec()).ok()
    };
    Ok(hierarchies()?.iter().filter_map(door).collect())
}

/// Removes the cgroups of a jail in which nothing is left; `false` when the kernel has not let go
/// of something in them yet.
pub(super) fn remove(prison: &Prison) -> Result<bool, Error> {
    for hierarchy in hierarchies()? {
        let path = hierarchy.directory(prison);
        match fs::remove_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => return Ok(false),
            Err(error) => return Err(failed("removing", &path, error)),
        }
    }
    Ok(true)
}

impl Hierarchy {
    fn directory(&self, prison: &Prison) -> PathBuf {
        self.mount.join(ALL_JAILS).join(prison.jid.to_string())
    }

    /// Makes a cgroup, and that of all jails, in which the controller works.
    fn make(&self, directory: &Path, controller: Controller) -> Result<(), String> {
        let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        let all = self.mount.join(ALL_JAILS);
        for (parent, path) in [(&*self.mount, &*all), (&*all, directory)] {
            if self.version == Version::Two {
                let file = parent.join("cgroup.subtree_control");
                write(&file, &format!("+{}", controller.name()))
                    .map_err(|errno| failed(&file, errno.into()))?;
            }
            match fs::create_dir(path) {
                Ok(()) => self.settle(parent, path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                Err(error) => Err(error),
            }
            .map_err(|error| failed(path, error))?;
        }
        Ok(())
    }

    /// A new cgroup for cpusets has no processors and takes no process before it has some.
    fn settle(&self, parent: &Path, new: &Path) -> io::Result<()> {
        if self.version == Version::One && self.controllers.contains(&Controller::Cpuset) {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                fs::write(new.join(file), fs::read(parent.join(file))?)?;
            }
        }
        Ok(())
    }
}

fn of_controller(controller: Controller) -> Result<Option<Hierarchy>, Error> {
    Ok(hierarchies()?.into_iter().find(|found| found.controllers.contains(&controller)))
}

/// The hierarchies that are mounted and have one of the controllers.
fn hierarchies() -> Result<Vec<Hierarchy>, Error> {
    let path = Path::new("/proc/self/mountinfo");
    let text = fs::read_to_string(path).map_err(|error| failed("reading", path, error))?;
    let mut found = mounted(&text);
    for hierarchy in found.iter_mut().filter(|hierarchy| hierarchy.version == Version::Two) {
        // What is written there are the controllers that no version 1 has taken.
        let names = fs::read_to_string(hierarchy.mount.join("cgroup.controllers"));
        hierarchy.controllers = controllers(names.unwrap_or_default().split_whitespace());
    }
    found.retain(|hierarchy| !hierarchy.controllers.is_empty());
    Ok(found)
}

/// The hierarchies of a proc_pid_mountinfo(5).
fn mounted(text: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in text.lines() {
        let Some((before, behind)) = line.split_once(" - ") else { continue };
        let mut fields = behind.split(' ');
        let (Some(kind), Some(options)) = (fields.next(), fields.nth(1)) else { continue };
        let version = match kind {
            "cgroup" => Version::One,
            "cgroup2" => Version::Two,
            _ => continue,
        };
        let mut before = before.split(' ').skip(3);
        // Only part of it may be shown there, where the paths would be others.
        let (Some("/"), Some(mount)) = (before.next(), before.next()) else { continue };
        let hierarchy = Hierarchy {
            version,
            mount: PathBuf::from(mount),
            controllers: controllers(options.split(',')),
        };
        let again =
            |old: &Hierarchy| old.version == version && old.controllers == hierarchy.controllers;
        if !found.iter().any(again) {
            found.push(hierarchy);
        }
    }
    found
}

fn controllers<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<Controller> {
    Controller::ALL
        .into_iter()
        .filter(|controller| names.clone().any(|name| name == controller.name()))
        .collect()
}

fn write(path: &Path, value: &str) -> Result<(), Errno> {
    // Without creating it: a controller that is not there must not be taken for one.
    let written = fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()));
    written.map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}

fn failed(doing: &str, path: &Path, source: io::Error) -> Error {
    Error::Emulation { what: format!("{doing} {}", path.display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Hierarchy]) -> Vec<(Version, &str, Vec<&str>)> {
        let names = |found: &Hierarchy| found.controllers.iter().map(|c| c.name()).collect();
        found.iter().map(|h| (h.version, h.mount.to_str().unwrap(), names(h))).collect()
    }

    #[test]
    fn hierarchies_of_both_kinds_are_found() {
        let text = "\
31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 23 0:28 / /elsewhere rw - cgroup cgroup rw,memory
34 23 0:29 /below /part rw - cgroup cgroup rw,pids
35 23 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
36 23 0:31 / /tmp rw - tmpfs tmpfs rw
";
        assert_eq!(
            names(&mounted(text)),
            [
                (Version::One, "/sys/fs/cgroup/cpu,cpuacct", vec!["cpu"]),
                (Version::One, "/sys/fs/cgroup/memory", vec!["memory"]),
                (Version::Two, "/sys/fs/cgroup/unified", vec![]),
            ]
        );
    }
}
