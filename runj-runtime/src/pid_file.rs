//! The file that tells an engine a process's pid.

use std::path::Path;

use crate::error::Error;
use crate::store::WholeFile;

/// A pid file that is about to be written. What could fail has not failed.
#[derive(Debug)]
pub(crate) struct PidFile(WholeFile);

impl PidFile {
    pub(crate) fn prepare(path: &Path) -> Result<Self, Error> {
        WholeFile::prepare(path, 0o644).map(Self).map_err(by_flag)
    }

    /// Writes it. It is the caller's from then on, as it is with runc, and not removed with the
    /// container.
    pub(crate) fn write(self, pid: i32) -> Result<(), Error> {
        self.0.write(pid.to_string().as_bytes()).map_err(by_flag)
    }
}

fn by_flag(error: Error) -> Error {
    match error {
        Error::Io { what, source } => Error::Io { what: format!("--pid-file: {what}"), source },
        error => error,
    }
}
