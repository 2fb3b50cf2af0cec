//! What is to be mounted.

use std::path::{Path, PathBuf};

/// What is to be mounted, in FreeBSD's terms (mount(8), nmount(2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSystem {
    pub(crate) fstype: String,
    /// What is mounted, for a nullfs the directory or file of the host.
    pub(crate) from: PathBuf,
    pub(crate) attributes: Attributes,
    /// The options that are the file system's own, such as `size=1m`.
    pub(crate) options: Vec<(String, Option<String>)>,
}

/// What holds for a mounted file system whatever its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) read_only: bool,
    pub(crate) nosuid: bool,
    pub(crate) noexec: bool,
    /// True on FreeBSD whatever is asked for: a device is one in a devfs alone.
    pub(crate) nodev: bool,
    pub(crate) noatime: bool,
    pub(crate) nosymfollow: bool,
}

impl FileSystem {
    pub(crate) fn new(fstype: &str, from: PathBuf) -> Self {
        let attributes = Attributes::default();
        Self { fstype: fstype.to_owned(), from, attributes, options: Vec::new() }
    }

    /// A nullfs that shows a directory or a file read-only.
    pub(crate) fn read_only_view(of: &Path) -> Self {
        let attributes = Attributes { read_only: true, ..Attributes::default() };
        Self { attributes, ..Self::new("nullfs", of.to_owned()) }
    }
}
