//! Fifos, which containerd's clients make and read.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::Error;

/// Both ends of a fifo that a process is to read: its own, and one that keeps it open.
pub(super) fn input(path: &Path) -> Result<(OwnedFd, OwnedFd), Error> {
    both(path)
}

/// Both ends of a fifo that a process is to write to: its own, and one that keeps it open.
pub(super) fn output(path: &Path) -> Result<(OwnedFd, OwnedFd), Error> {
    both(path).map(|(reader, writer)| (writer, reader))
}

/// Opens a fifo's reading and writing end without waiting for a client.
fn both(path: &Path) -> Result<(OwnedFd, OwnedFd), Error> {
    let open = || {
        // Without a writer this does not wait, and with a reader the other one does not.
        let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        if !reader.metadata()?.file_type().is_fifo() {
            return Err(io::Error::other("it is no fifo"));
        }
        let writer = OpenOptions::new().write(true).open(path)?;
        // The process is to find them as it expects them.
        blocking(&reader)?;
        Ok((reader.into(), writer.into()))
    };
    open().map_err(Error::io(format!("{}", path.display())))
}

fn blocking(file: &File) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    rustix::fs::fcntl_setfl(file, flags - OFlags::NONBLOCK)?;
    Ok(())
}
