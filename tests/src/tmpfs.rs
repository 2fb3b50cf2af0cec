//! A file system that is as full, or as read-only, as a test wants it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::sys;

/// A small tmpfs that is mounted for as long as this is there.
#[derive(Debug)]
pub struct Tmpfs {
    path: PathBuf,
}

/// What a tmpfs gives away at once.
const PAGE: usize = 4096;

impl Tmpfs {
    /// Mounts one with room for so many pages on a directory.
    ///
    /// # Panics
    ///
    /// When it cannot be mounted.
    #[must_use]
    pub fn mount(path: &Path, pages: usize) -> Self {
        sys::mount_tmpfs(path, pages * PAGE).unwrap();
        Self { path: path.to_owned() }
    }

    /// Lets nobody write to it, or everybody again.
    ///
    /// # Panics
    ///
    /// When the kernel refuses.
    pub fn set_read_only(&self, read_only: bool) {
        sys::remount_tmpfs(&self.path, read_only).unwrap();
    }

    /// Fills it up, but for so many pages; tells whether it had so many.
    ///
    /// # Panics
    ///
    /// When it is not filled but broken.
    #[must_use]
    pub fn leave(&self, pages: usize) -> bool {
        self.empty();
        let mut filler = File::create(self.filler()).unwrap();
        let mut filled = 0;
        loop {
            match filler.write(&[0; PAGE]) {
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => panic!("{}: {error}", self.path.display()),
            }
        }
        let Some(rest) = filled.checked_sub(pages * PAGE) else { return false };
        let filler = OpenOptions::new().write(true).open(self.filler()).unwrap();
        filler.set_len(rest.try_into().unwrap()).unwrap();
        true
    }

    /// Takes what filled it away.
    pub fn empty(&self) {
        let _ = fs::remove_file(self.filler());
    }

    /// The names of everything else in it.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != FILLER).collect()
    }

    fn filler(&self) -> PathBuf {
        self.path.join(FILLER)
    }
}

/// No container's id.
const FILLER: &str = ".filler";

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = sys::unmount(&self.path);
    }
}
