//! The file that tells an engine a process's pid.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use runj_faults::{Point, at};

use crate::error::Error;
use crate::input::Input;

/// A pid file that is about to be written. What could fail has not failed.
///
/// It is written in its place, not beside it and renamed: should we be killed, there is no file but
/// the one that the caller has named, which is empty then.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
    /// It is ours to remove: it was not there before, and has no pid in it.
    is_new: bool,
}

impl PidFile {
    pub(crate) fn prepare(path: &Path) -> Result<Self, Error> {
        // Through a link, somebody else's file would be overwritten; a fifo would be waited for.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let options = || OpenOptions::new().write(true).mode(0o644).custom_flags(flags).to_owned();
        at(Point::PidFile)?;
        let (file, is_new) = match options().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (options().open(path), false)
            }
            made => (made, true),
        };
        let file = file.map_err(failed(path))?;
        let metadata = file.metadata().map_err(failed(path))?;
        if !metadata.is_file() || metadata.nlink() != 1 {
            // As through a link: where others can write, it may be any file of the host's.
            let reason = "it is no file, or has another name as well";
            return Err(failed(path)(io::Error::other(reason)));
        }
        Ok(Self { path: path.to_owned(), file, is_new })
    }

    /// Writes it. It is the caller's from then on, as it is with runc, and not removed with the
    /// container.
    pub(crate) fn write(mut self, pid: i32) -> Result<(), Error> {
        at(Point::PidFileWrite)?;
        self.file
            .set_len(0)
            .and_then(|()| self.file.write_all(pid.to_string().as_bytes()))
            .map_err(failed(&self.path))?;
        self.is_new = false;
        Ok(())
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if self.is_new {
            // What was to be done has failed, and its error matters more.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    Error::input(Input::PidFile, path)
}
