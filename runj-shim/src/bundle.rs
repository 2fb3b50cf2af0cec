//! The bundle: the container's directory, in which the shim keeps notes of its own too.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use runj_faults::{Point, at};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exit::Exit;
use crate::flags::Flags;

/// A container's bundle.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    path: PathBuf,
}

/// What `delete` has to know of a container whose shim was killed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// The `runj` that made the container.
    pub(crate) runj: PathBuf,
    /// Its `--root`.
    pub(crate) root: PathBuf,
}

impl Bundle {
    const NOTES: &str = "runj-shim.json";
    const EXIT: &str = "runj-shim.exit.json";

    /// The bundle that the flags name: with none, the working directory.
    pub(crate) fn of(flags: &Flags) -> Result<Self, Error> {
        let path = match &flags.bundle {
            Some(path) => path.clone(),
            None => std::env::current_dir().map_err(Error::io("the working directory"))?,
        };
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the container's root is mounted on.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    /// Where `runj create` writes the pid of the container's first process.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.path.join("init.pid")
    }

    pub(crate) fn write_notes(&self, notes: &Notes) -> Result<(), Error> {
        self.write(Self::NOTES, notes)
    }

    /// `None` when no container was about to be made.
    pub(crate) fn notes(&self) -> Option<Notes> {
        self.read(Self::NOTES)
    }

    pub(crate) fn write_exit(&self, exit: &Exit) -> Result<(), Error> {
        self.write(Self::EXIT, exit)
    }

    /// How the container's first process ended, if its shim saw it.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.read(Self::EXIT)
    }

    /// Replaces a file of the bundle, whole or not at all.
    pub(crate) fn replace(&self, name: &str, text: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        let temporary = self.path.join(format!(".{name}.new"));
        let replace = || {
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            at(Point::ShimWrite)?;
            let options = OpenOptions::new().write(true).create_new(true).mode(0o600).to_owned();
            options.open(&temporary)?.write_all(text)?;
            at(Point::ShimRename)?;
            fs::rename(&temporary, &path)
        };
        replace().map_err(|error| {
            // Whether it is there or not: the error that matters is the first.
            let _ = fs::remove_file(&temporary);
            Error::io(format!("{}", path.display()))(error)
        })
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_vec(value).map_err(Error::io(name))?;
        self.replace(name, &text)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.path.join(name)).ok()?).ok()
    }
}
