//! The jails that there are, as files: one per jail, named by its jid, under one lock.
//!
//! A file is replaced as a whole, and only says what a jail is like. Whether it is there is up to
//! its holder: an entry whose holder is gone is dropped by whoever comes next.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::cgroup;
use super::pidfd;
use super::prison::{HOST, Holder, JAIL_MAX, Prison, Prisons};
use super::privilege::require_root;
use super::process::{self, Stat};
use super::procfs;
use crate::error::Error;

/// Where the jails are kept.
const DIRECTORY: &str = "/run/runj-jails";

/// The jails, locked against everybody else.
pub(super) struct Registry {
    prisons: Prisons,
    boot: &'static str,
    /// Unlocks when dropped.
    _lock: Flock<File>,
}

/// One file.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// The boot that the jail belongs to; /run may outlive it.
    boot: String,
    prison: Prison,
}

impl Registry {
    /// Locks the registry, which may have to wait for somebody else, and reads it.
    pub(super) fn open() -> Result<Self, Error> {
        let mut registry = Self::locked()?;
        registry.read()?;
        registry.settle()?;
        Ok(registry)
    }

    /// As [`Self::open`], but reads no more than what concerns that jail: of a jail on the host
    /// that has none inside its own entry alone, so that what it takes does not grow with the
    /// number of jails.
    pub(super) fn open_for(jid: i32) -> Result<Self, Error> {
        let mut registry = Self::locked()?;
        match find(&file(&format!("{jid}.json")))? {
            None => {}
            Some(Entry { boot, prison })
                if boot == registry.boot && prison.parent == HOST && prison.childless =>
            {
                registry.prisons.insert(prison);
            }
            Some(_) => registry.read()?,
        }
        registry.settle()?;
        Ok(registry)
    }

    /// Locks the registry.
    fn locked() -> Result<Self, Error> {
        require_root()?;
        let lock = match lock(&file("lock")) {
            Err(Error::Emulation { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make_directory()?;
                lock(&file("lock"))?
            }
            lock => lock?,
        };
        Ok(Self { prisons: Prisons::new([]), boot: boot_id()?, _lock: lock })
    }

    pub(super) fn prisons(&self) -> &Prisons {
        &self.prisons
    }

    /// Writes a jail down, a new one or one that has changed.
    pub(super) fn save(&mut self, prison: Prison) -> Result<(), Error> {
        let path = file(&format!("{}.json", prison.jid));
        let entry = Entry { boot: self.boot.to_owned(), prison };
        let text = serde_json::to_vec_pretty(&entry)
            .map_err(|error| failed("encoding", &path, error.into()))?;
        replace(&path, &text)?;
        self.prisons.insert(entry.prison);
        Ok(())
    }

    /// Kills a jail and those below it and marks them as dying.
    pub(super) fn kill(&mut self, jid: i32) -> Result<(), Error> {
        let mut family = vec![jid];
        family.extend(self.prisons.descendants(jid));
        for jid in family {
            let Some(prison) = self.prisons.find(jid).cloned() else { continue };
            let process = prison.holder.map(|holder| process::handle(holder.process()));
            if let Some(process) = process.transpose()?.flatten() {
                match pidfd::signal(&process, libc::SIGKILL) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(errno) => {
                        return Err(Error::System { call: "pidfd_send_signal(2)", errno });
                    }
                }
            }
            // Written afterwards: should we be killed in between, whoever comes next sees that the
            // holder has ended, but would not end the holder of a jail that is dying already.
            self.save(Prison { dying: true, ..prison })?;
        }
        Ok(())
    }

    /// Drops what is written down about a jail.
    pub(super) fn forget(&mut self, jid: i32) -> Result<(), Error> {
        remove_files(jid)?;
        self.prisons.forget(jid);
        Ok(())
    }

    /// A jid that no jail has, and none has had for long (`get_next_prid`).
    pub(super) fn next_jid(&mut self) -> Result<Option<i32>, Error> {
        let path = file("lastjid");
        let last = match fs::read_to_string(&path) {
            // A damaged file only means that counting starts again.
            Ok(text) => text.trim_end().parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(failed("reading", &path, error)),
        };
        let after = |jid: i32| jid % JAIL_MAX + 1;
        let mut jid = after(last);
        for _ in 0..JAIL_MAX {
            if self.prisons.find(jid).is_none() {
                replace(&path, format!("{jid}\n").as_bytes())?;
                return Ok(Some(jid));
            }
            jid = after(jid);
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<(), Error> {
        let directory = Path::new(DIRECTORY);
        let listing = |error| failed("listing", directory, error);
        let mut others = Vec::new();
        for entry in fs::read_dir(directory).map_err(listing)? {
            let path = entry.map_err(listing)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                others.push(path);
                continue;
            }
            let entry = read(&path)?;
            if entry.boot == self.boot {
                self.prisons.insert(entry.prison);
            } else {
                remove_files(entry.prison.jid)?;
            }
        }
        // What belongs to no jail was left by somebody who died while making one.
        for path in others {
            let jid = path.file_stem().and_then(|stem| stem.to_str()?.parse::<i32>().ok());
            if jid.is_some_and(|jid| self.prisons.find(jid).is_none()) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Makes the entries say what has happened to the holders meanwhile.
    fn settle(&mut self) -> Result<(), Error> {
        let jails: Vec<Prison> = self.prisons.iter().cloned().collect();
        for prison in jails {
            let jid = prison.jid;
            match prison.holder.map(condition).transpose()? {
                Some(Condition::Runs) => {}
                Some(Condition::Gone) | None if cgroup::remove(&prison)? => {
                    self.forget(jid)?;
                }
                _ if prison.dying => {}
                _ => self.save(Prison { dying: true, ..prison })?,
            }
        }
        self.end_unused()
    }

    /// Ends the jails that exist only for as long as something is in them (`nopersist`).
    fn end_unused(&mut self) -> Result<(), Error> {
        let candidates: Vec<(i32, Holder)> = self
            .prisons
            .iter()
            .filter(|prison| !prison.persist && !prison.dying)
            .filter_map(|prison| Some((prison.jid, prison.holder?)))
            .collect();
        for (jid, holder) in candidates {
            let empty = process::in_namespaces(&HashSet::from([holder.namespace]))?
                .iter()
                .all(|process| process.pid() == holder.pid);
            if empty && self.prisons.descendants(jid).is_empty() {
                self.kill(jid)?;
            }
        }
        Ok(())
    }
}

/// The jail of that jid, as it is written down now; for a holder, which takes no lock.
pub(super) fn written(jid: i32) -> Result<Prison, Error> {
    Ok(read(&file(&format!("{jid}.json")))?.prison)
}

/// Where the holder of that jail listens.
pub(super) fn doorbell(jid: i32) -> PathBuf {
    file(&format!("{jid}.socket"))
}

enum Condition {
    Runs,
    Exits,
    Gone,
}

fn condition(holder: Holder) -> Result<Condition, Error> {
    match Stat::of(holder.pid)?.filter(|stat| stat.start == holder.start) {
        // It turns into a zombie only after all others in its pid namespace have ended.
        None | Some(Stat { zombie: true, .. }) => Ok(Condition::Gone),
        Some(Stat { exiting: false, .. }) => Ok(Condition::Runs),
        Some(_) => {
            // It waits for the others to be collected. Where nobody does that (a container whose
            // pid 1 is no init), they would keep the jail for ever, though nothing runs there.
            let (mut alive, mut zombies) = (false, false);
            for pid in process::all()? {
                if pid != holder.pid
                    && process::pid_namespace(pid)? == Some(holder.namespace)
                    && let Some(stat) = Stat::of(pid)?
                {
                    alive |= !stat.zombie;
                    zombies |= stat.zombie;
                }
            }
            Ok(if zombies && !alive { Condition::Gone } else { Condition::Exits })
        }
    }
}

/// Which boot of the machine this is (random(4)).
fn boot_id() -> Result<&'static str, Error> {
    static BOOT: OnceLock<String> = OnceLock::new();
    if let Some(boot) = BOOT.get() {
        return Ok(boot);
    }
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let text = procfs::read(path).map_err(|error| failed("reading", path, error))?;
    Ok(BOOT.get_or_init(|| String::from_utf8_lossy(text.trim_ascii_end()).into_owned()))
}

fn file(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

fn make_directory() -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(DIRECTORY) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("creating", Path::new(DIRECTORY), error))
        }
        _ => Ok(()),
    }
}

fn lock(path: &Path) -> Result<Flock<File>, Error> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed("opening", path, error))?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(lock) => return Ok(lock),
            Err((unlocked, Errno::EINTR)) => file = unlocked,
            Err((_, errno)) => return Err(failed("locking", path, errno.into())),
        }
    }
}

fn read(path: &Path) -> Result<Entry, Error> {
    let text = fs::read(path).map_err(|error| failed("reading", path, error))?;
    decode(path, &text)
}

/// `None` when there is no such file.
fn find(path: &Path) -> Result<Option<Entry>, Error> {
    match fs::read(path) {
        Ok(text) => decode(path, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("reading", path, error)),
    }
}

fn decode(path: &Path, text: &[u8]) -> Result<Entry, Error> {
    serde_json::from_slice(text).map_err(|error| failed("decoding", path, error.into()))
}

fn replace(path: &Path, text: &[u8]) -> Result<(), Error> {
    let new = path.with_extension("new");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(text))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| failed("writing", path, error))
}

fn remove_files(jid: i32) -> Result<(), Error> {
    remove(&file(&format!("{jid}.json")))?;
    remove(&doorbell(jid))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("removing", path, error))
        }
        _ => Ok(()),
    }
}

fn failed(doing: &str, path: &Path, source: io::Error) -> Error {
    Error::Emulation { what: format!("{doing} {}", path.display()), source }
}
