//! The programs that the tests' image is made of: some of the host's, which need nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::executable::copy_program;
use crate::sys;

/// The directories that a container's root has, in which things are mounted.
pub(super) const DIRECTORIES: [&str; 7] = ["dev", "etc", "proc", "root", "run", "sys", "tmp"];

/// The variable of an image's environment by which its programs are found.
pub(super) const SEARCH_PATH: &str = "PATH=/sbin:/bin:/usr/sbin:/usr/bin";

/// What is at a path below a root.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A program or library: a copy of this one.
    Copy(PathBuf),
    /// A link to this.
    Link(PathBuf),
}

/// A shell and what the tests call in it, by the paths below a root that they have.
#[derive(Debug)]
pub(crate) struct Userland(pub(crate) Vec<(PathBuf, Entry)>);

impl Userland {
    /// Finds it; otherwise, what this host would have to have.
    pub(crate) fn find() -> Result<Self, &'static str> {
        sys::userland()
    }

    /// The host's.
    pub(super) fn host() -> Self {
        Self::find().unwrap_or_else(|missing| panic!("there is no {missing}"))
    }

    /// The program that is its shell.
    pub(super) fn shell(&self) -> &Path {
        let at = |wanted: &Path| self.0.iter().find(|(path, _)| path == wanted).map(|(_, it)| it);
        match at(Path::new("bin/sh")) {
            Some(Entry::Copy(from)) => from,
            Some(Entry::Link(to)) => match at(&Path::new("bin").join(to)) {
                Some(Entry::Copy(from)) => from,
                other => panic!("bin/sh leads to {other:?}"),
            },
            None => panic!("there is no bin/sh"),
        }
    }

    /// The directories that it has something in, those above before those below.
    pub(super) fn directories(&self) -> Vec<&Path> {
        let parents = self.0.iter().flat_map(|(path, _)| path.ancestors().skip(1));
        let named = DIRECTORIES.iter().map(Path::new);
        let mut all: Vec<_> =
            parents.chain(named).filter(|path| !path.as_os_str().is_empty()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Makes a root of it.
    pub(super) fn install(&self, root: &Path) {
        for directory in self.directories() {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for (path, entry) in &self.0 {
            let path = root.join(path);
            match entry {
                Entry::Copy(from) => {
                    copy_program(from, &path);
                }
                Entry::Link(to) => symlink(to, &path).unwrap(),
            }
        }
    }
}
