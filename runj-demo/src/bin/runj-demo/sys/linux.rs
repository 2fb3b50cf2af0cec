//! Linux.

use std::fs::Metadata;

/// A file's flags as chflags(1) has them, with commas: Linux has no such thing.
pub(crate) fn flags(_: &Metadata) -> String {
    String::new()
}
