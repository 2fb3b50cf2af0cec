//! A file that is not whole yet.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, bail};
use serde::{Deserialize, Serialize};

use crate::digest;

/// What has been fetched of a file. It is beside the file, under a name of its own, until it is
/// whole and right: a file of the right name always is.
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    output: PathBuf,
}

/// Where the bytes are from. It is in a file beside theirs.
#[derive(Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) url: String,
    /// Of the whole file, as the release's MANIFEST has it.
    pub(super) sha256: String,
    /// By which the server knows whether its file is the same still (RFC 9110, section 13.1.5).
    pub(super) validator: Option<String>,
}

/// What is there to go on with.
pub(super) struct There {
    pub(super) length: u64,
    pub(super) validator: String,
}

impl Partial {
    /// Opens what an earlier call has left, or a new one.
    pub(super) fn open(output: &Path) -> Result<Self, Error> {
        let path = with_suffix(output, ".part");
        let context = || format!("--output: {path:?}");
        let mut file = OpenOptions::new()
            .append(true)
            .read(true)
            .create(true)
            .open(&path)
            .with_context(context)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{path:?}: another runj is at work on it"),
            Err(TryLockError::Error(error)) => return Err(error).with_context(context),
        }
        file.seek(SeekFrom::End(0)).with_context(context)?;
        Ok(Self { file, path, output: output.to_owned() })
    }

    /// What there is of that file, if one can go on with it.
    pub(super) fn there(&mut self, url: &str, sha256: &str) -> Option<There> {
        let length = self.file.stream_position().ok().filter(|length| *length > 0)?;
        let source: Source = serde_json::from_slice(&fs::read(self.source_path()).ok()?).ok()?;
        let same = source.url == url && source.sha256 == sha256;
        Some(There { length, validator: source.validator.filter(|_| same)? })
    }

    /// Begins anew with the bytes of that source.
    pub(super) fn restart(&mut self, source: &Source) -> Result<(), Error> {
        let path = self.source_path();
        // In this order: bytes are never said to be from elsewhere.
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .with_context(|| format!("{:?}", self.path))?;
        fs::write(&path, serde_json::to_vec(source)?).with_context(|| format!("{path:?}"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, if it is the right one. If it is not there is nothing to go on with.
    pub(super) fn finish(self, expected: &str) -> Result<(), Error> {
        let found = digest::of_file(&self.path).with_context(|| format!("{:?}", self.path))?;
        if found != expected {
            fs::remove_file(&self.path).with_context(|| format!("{:?}", self.path))?;
            self.forget()?;
            bail!("the file has the checksum {found}, and MANIFEST says {expected}: it is deleted");
        }
        // First what is in it, then its name.
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &self.output))
            .with_context(|| format!("--output: {:?}", self.output))?;
        self.forget()
    }

    fn source_path(&self) -> PathBuf {
        with_suffix(&self.path, ".json")
    }

    fn forget(&self) -> Result<(), Error> {
        let path = self.source_path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{path:?}"))
            }
            _ => Ok(()),
        }
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
