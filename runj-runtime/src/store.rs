//! The directory in which runj keeps what it knows of its containers.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use runj_faults::{Point, at};
use runj_spec::ContainerId;

use crate::bounded;
use crate::error::Error;
use crate::input::Input;
use crate::ledger::{Deed, Ledger};
use crate::record::Record;

/// The parent of all containers' directories.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

/// The directory of one container.
#[derive(Clone, Debug)]
pub(crate) struct ContainerDirectory {
    id: ContainerId,
    path: PathBuf,
}

/// A container's directory, and the right to change what is in it: nobody else has it meanwhile.
#[derive(Debug)]
pub(crate) struct Locked {
    directory: ContainerDirectory,
    /// The lock is this open file's and goes when it is closed, however the process ends.
    _lock: File,
    ledger: Ledger,
}

/// How long a verb waits for another one that works on the same container.
const PATIENCE: Duration = Duration::from_secs(10);

impl Store {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The container's directory.
    pub(crate) fn find(&self, id: &ContainerId) -> Result<ContainerDirectory, Error> {
        self.check()?;
        let directory = self.directory(id);
        match fs::symlink_metadata(&directory.path) {
            Ok(metadata) if metadata.is_dir() => {
                check_owner(&directory.path, &metadata)?;
                Ok(directory)
            }
            Ok(_) => Err(Error::NoSuchContainer(id.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NoSuchContainer(id.clone()))
            }
            Err(error) => Err(Error::io(format!("{:?}", directory.path))(error)),
        }
    }

    /// Makes a container's directory.
    pub(crate) fn create(&self, id: &ContainerId) -> Result<Locked, Error> {
        let unusable = || Error::input(Input::StateDirectory, &self.root);
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        at(Point::StateRoot)?;
        if !self.check()? {
            builder.recursive(true).create(&self.root).map_err(unusable())?;
            self.check()?;
        }
        // The kernel knows a read-only root below by this path alone.
        let root = self.root.canonicalize().map_err(unusable())?;
        let directory = ContainerDirectory { id: id.clone(), path: root.join(id.as_ref()) };
        at(Point::StateDirectory)?;
        let is_new = match builder.recursive(false).create(&directory.path) {
            Ok(()) => true,
            // Perhaps only what a create or a delete left that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(Error::io(format!("{:?}", directory.path))(error)),
        };
        let locked = directory.lock_within(Duration::ZERO, true).map_err(|error| match error {
            Error::Locked(id) | Error::NoSuchContainer(id) => Error::Exists(id),
            error => {
                // Only if nothing is in it, which may be another creator's.
                let _ = fs::remove_dir(&directory.path);
                error
            }
        })?;
        if locked.directory().state_file().exists() {
            return Err(Error::Exists(id.clone()));
        }
        if is_new {
            return Ok(locked);
        }
        // Its deeds, if there are any, are undone, and must not be taken for ours.
        locked.remove()?;
        self.create(id)
    }

    /// Whether the directory is there, and if so, a check that what is in it can be believed: runj
    /// would kill, unmount and remove as root whatever somebody else had written there.
    fn check(&self) -> Result<bool, Error> {
        match fs::symlink_metadata(&self.root) {
            Ok(metadata) if metadata.is_dir() => check_owner(&self.root, &metadata).map(|()| true),
            Ok(_) => Err(untrusted(&self.root, "it is no directory; a link to one will not do")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::input(Input::StateDirectory, &self.root)(error)),
        }
    }

    /// The ids of all containers, sorted.
    pub(crate) fn list(&self) -> Result<Vec<ContainerId>, Error> {
        self.check()?;
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::input(Input::StateDirectory, &self.root)(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::input(Input::StateDirectory, &self.root))?;
            // Names that are no ids are not ours.
            if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    fn directory(&self, id: &ContainerId) -> ContainerDirectory {
        ContainerDirectory { id: id.clone(), path: self.root.join(id.as_ref()) }
    }
}

impl ContainerDirectory {
    const STARTING: &str = "starting";
    const WAITING: &str = "waiting";
    const COPIES: &str = "copies";

    pub(crate) fn id(&self) -> &ContainerId {
        &self.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the container's process waits for `start`.
    pub(crate) fn start_socket(&self) -> PathBuf {
        self.path.join("start.sock")
    }

    /// A new file, locked: what the container's process holds for as long as it waits.
    pub(crate) fn start_lock(&self) -> Result<File, Error> {
        let path = self.path.join(Self::WAITING);
        let failed = |error| Error::io(format!("{path:?}"))(error);
        at(Point::StartLock)?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// Whether nobody has let the container's process go on, given that it is alive.
    pub(crate) fn init_waits(&self) -> Result<bool, Error> {
        self.is_held(Self::WAITING)
    }

    /// A file that is there while `start` waits for hooks that the container's process runs.
    pub(crate) fn starting(&self) -> PathBuf {
        self.path.join(Self::STARTING)
    }

    /// Where the read-only view of the root is mounted, if there is one.
    pub(crate) fn read_only_root(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    /// Whether files are copied into its root, or will be.
    fn has_copies(&self) -> bool {
        self.path.join(Self::COPIES).exists()
    }

    fn state_file(&self) -> PathBuf {
        self.path.join("state.json")
    }

    pub(crate) fn ledger_file(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// What is remembered of the container; `None` when it has not come that far.
    pub(crate) fn read(&self) -> Result<Option<Record>, Error> {
        let path = self.state_file();
        let text = match bounded::read(&path, Record::LIMIT) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("{path:?}"))(error)),
        };
        let bad = |reason: String| Error::BadState { path: path.clone(), reason };
        let record: Record = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
        if record.version != Record::VERSION {
            return Err(bad(format!("its version is {}, not 1", record.version)));
        }
        if record.id != self.id {
            return Err(bad(format!("it is of container {}", record.id)));
        }
        Ok(Some(record))
    }

    /// Removes what is left of a creation that was killed before there even was a lock.
    pub(crate) fn remove_empty(&self) -> Result<(), Error> {
        at(Point::ForgetEmpty)?;
        match fs::remove_dir(&self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io(format!("{:?}", self.path))(error)),
        }
    }

    /// What was done for the container, oldest first.
    pub(crate) fn deeds(&self) -> Result<Vec<Deed>, Error> {
        let path = self.ledger_file();
        Ledger::read(&path).map_err(Error::io(format!("{path:?}")))
    }

    /// Writes deeds of another container into this one's ledger.
    pub(crate) fn inherit(&self, deeds: &[Deed]) -> Result<(), Error> {
        let path = self.ledger_file();
        let written = (|| {
            let Some(mut ledger) = Ledger::of_another(&path)? else { return Ok(()) };
            deeds.iter().try_for_each(|deed| ledger.record(deed))
        })();
        written.map_err(Error::io(format!("{path:?}")))
    }

    /// Takes the right to change the container, waiting for whoever has it.
    pub(crate) fn lock(&self) -> Result<Locked, Error> {
        self.lock_within(PATIENCE, false)
    }

    /// Whether another process is changing the container at this moment.
    pub(crate) fn is_locked(&self) -> Result<bool, Error> {
        self.is_held("lock")
    }

    /// Whether somebody holds the lock that this file is.
    fn is_held(&self, name: &str) -> Result<bool, Error> {
        let path = self.path.join(name);
        let unknown = |error| Error::io(format!("{path:?}"))(error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unknown(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(unknown(error)),
        }
    }

    /// Only whoever creates the container makes the lock: a verb that comes while another one
    /// removes the directory must not put a file there.
    fn lock_within(&self, patience: Duration, create: bool) -> Result<Locked, Error> {
        let path = self.path.join("lock");
        let gone = || Error::NoSuchContainer(self.id.clone());
        at(Point::Lock)?;
        let file = OpenOptions::new()
            .write(true)
            .create(create)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => gone(),
                _ => Error::io(format!("{path:?}"))(error),
            })?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Asked again and again, for nothing that waits has a limit. flock(2) and fcntl(2)
                // would need a signal to end them, and the handlers and timers of a process are
                // its program's. A thread that waits would stay behind at the limit, and take the
                // lock when nobody wants it any more. kqueue(2) tells of a file's being closed just
                // before its lock goes (`vn_closefile`, sys/kern/vfs_vnops.c). Only verbs that meet
                // at one container come here.
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Locked(self.id.clone())),
                Err(TryLockError::Error(error)) => {
                    return Err(Error::io(format!("{path:?}"))(error));
                }
            }
        }
        // The container may have been deleted, and made anew, while we waited.
        let same = |metadata: fs::Metadata| {
            file.metadata()
                .is_ok_and(|ours| (ours.dev(), ours.ino()) == (metadata.dev(), metadata.ino()))
        };
        if !fs::symlink_metadata(&path).is_ok_and(same) {
            return Err(gone());
        }
        let ledger_file = self.ledger_file();
        let ledger = at(Point::LedgerOpen)
            .map_err(io::Error::from)
            .and_then(|()| Ledger::open(&ledger_file))
            .map_err(|error| {
                // The lock is ours, and there is no container that it is for. FreeBSD makes a file
                // before it finds that there is no descriptor for it.
                if create && !self.state_file().exists() {
                    let _ = fs::remove_file(&ledger_file);
                    let _ = fs::remove_file(&path);
                }
                Error::io(format!("{ledger_file:?}"))(error)
            })?;
        Ok(Locked { directory: self.clone(), _lock: file, ledger })
    }
}

/// Checks that a directory with states is root's, or whose who calls, and that nobody else can
/// write to it.
fn check_owner(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if owner != 0 && owner != geteuid().as_raw() {
        return Err(untrusted(path, format!("it belongs to user {owner}")));
    }
    if mode & 0o022 != 0 {
        return Err(untrusted(path, format!("others can write to it (its mode is {mode:04o})")));
    }
    Ok(())
}

fn untrusted(path: &Path, reason: impl Into<String>) -> Error {
    Error::UnusableInput {
        input: Input::StateDirectory,
        value: format!("{path:?}"),
        reason: reason.into(),
    }
}

impl Locked {
    pub(crate) fn directory(&self) -> &ContainerDirectory {
        &self.directory
    }

    /// Another container that has this root, if there is one.
    pub(crate) fn sharer(&self, root: &Path) -> Result<Option<ContainerDirectory>, Error> {
        let mut others = self.others()?.into_iter();
        Ok(others.find(|(_, record)| record.root == root).map(|(directory, _)| directory))
    }

    /// All other containers. One whose record cannot be read, or is gone meanwhile, is nobody's
    /// hindrance.
    pub(crate) fn others(&self) -> Result<Vec<(ContainerDirectory, Record)>, Error> {
        self.others_if(|_| true)
    }

    /// Those of them that have copies of files in their roots. Of all others nothing is read, since
    /// every container that is created asks for these.
    pub(crate) fn others_with_copies(&self) -> Result<Vec<(ContainerDirectory, Record)>, Error> {
        self.others_if(ContainerDirectory::has_copies)
    }

    fn others_if(
        &self,
        matters: impl Fn(&ContainerDirectory) -> bool,
    ) -> Result<Vec<(ContainerDirectory, Record)>, Error> {
        let Some(parent) = self.directory.path.parent() else { return Ok(Vec::new()) };
        let store = Store::new(parent.to_owned());
        let mut others = Vec::new();
        for id in store.list()? {
            if id != self.directory.id
                && matters(&store.directory(&id))
                && let Ok(directory) = store.find(&id)
                && let Ok(Some(record)) = directory.read()
            {
                others.push((directory, record));
            }
        }
        Ok(others)
    }

    /// Replaces what is remembered, at once and whole.
    pub(crate) fn write(&self, record: &Record) -> Result<(), Error> {
        let path = self.directory.state_file();
        let text = serde_json::to_vec_pretty(record)
            .map_err(|e| Error::io(format!("{path:?}"))(e.into()))?;
        self.put("state.json", &text)
    }

    /// Notes that `start` waits for hooks that the container's process runs.
    pub(crate) fn note_starting(&self) -> Result<(), Error> {
        self.put(ContainerDirectory::STARTING, b"")
    }

    /// Notes that files will be copied into the container's root.
    pub(crate) fn note_copies(&self) -> Result<(), Error> {
        if self.directory.has_copies() {
            return Ok(());
        }
        self.put(ContainerDirectory::COPIES, b"")
    }

    /// Writes a file of the directory so that it is there whole or not at all, whenever whoever
    /// writes it is killed.
    ///
    /// It is not synced to the disk. That would help against a crash of the host alone, and then the
    /// jail, the mounts and the processes that the file tells of are gone as well.
    pub(crate) fn put(&self, name: &str, text: &[u8]) -> Result<(), Error> {
        let path = self.directory.path.join(name);
        // Nobody else writes here, and what is left of a process that was killed is written over.
        // Its name is no file's that is looked for.
        let temporary = self.directory.path.join(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let written = (|| {
            at(Point::FileTemporary)?;
            let mut file = options.open(&temporary)?;
            at(Point::FileWrite)?;
            file.write_all(text)?;
            at(Point::FileRename)?;
            fs::rename(&temporary, &path)
        })();
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            Error::io(format!("{path:?}"))(error)
        })
    }

    /// Writes a deed down that is about to be done.
    pub(crate) fn record(&mut self, deed: &Deed) -> Result<(), Error> {
        let what = format!("{:?}", self.directory.ledger_file());
        self.ledger.record(deed).map_err(Error::io(what))
    }

    /// Removes the directory and what is in it: files, and the mount point of a read-only root.
    ///
    /// Directories are not descended into: should anything still be mounted there, it stays.
    pub(crate) fn remove(self) -> Result<(), Error> {
        let path = &self.directory.path;
        let failed = |error| Error::io(format!("{path:?}"))(error);
        at(Point::ForgetView)?;
        match fs::remove_dir(self.directory.read_only_root()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        // First: should this end in between, what remains is no container's any more, and whoever
        // deletes or creates it again removes that.
        at(Point::ForgetState)?;
        match fs::remove_file(self.directory.state_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // The lock goes last, so that nobody takes half a container for a whole one.
            if entry.file_name() != "lock" {
                at(Point::ForgetFile)?;
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        at(Point::ForgetLock)?;
        fs::remove_file(path.join("lock")).map_err(failed)?;
        at(Point::ForgetDirectory)?;
        fs::remove_dir(path).map_err(failed)
    }
}
