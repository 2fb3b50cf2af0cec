//! The name of a file system type.

use crate::allow_parameter::is_switch;
use crate::checked::{Checked, checked_string};

/// A file system type that a container may mount, as lsvfs(1) lists them: at most 15 bytes
/// (MFSNAMELEN - 1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileSystemType(String);

checked_string!(FileSystemType);

impl Checked for FileSystemType {
    fn expected() -> String {
        "the name of a file system type such as \"tmpfs\": 1 to 15 letters, digits or '_'"
            .to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        (text.len() <= 15 && is_switch(text)).then(|| Self(text.to_owned()))
    }
}
