//! Where in a bundle a value stands.

use std::fmt;

use serde::{Serialize, Serializer};

/// The place of a value: a file of the bundle and the path to the value in it.
///
/// Displays as `runj.ext.json: network.ipv4.mode`, or as the name of the file if the value is the
/// whole document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    file: String,
    path: String,
}

impl Origin {
    /// The place `path` (such as `network.ipv4.mode`) in `file` (such as `runj.ext.json`).
    pub fn new(file: impl Into<String>, path: impl Into<String>) -> Self {
        Self { file: file.into(), path: path.into() }
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The path to the value in the file, such as `mounts[0].type`; empty for the whole document.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if self.path.is_empty() {
            return Ok(());
        }
        write!(formatter, ": {}", self.path)
    }
}

impl Serialize for Origin {
    /// As it displays.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
