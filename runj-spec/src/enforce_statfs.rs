//! Which mounts a container sees.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::decode::{Decoded, Reader, integer};

/// Which mounts a container sees with statfs(2) and getfsstat(2): jail(8) `enforce_statfs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnforceStatfs {
    /// All of the host's: 0.
    All,
    /// Those below its root: 1.
    BelowRoot,
    /// The one that its root is on: 2, the kernel's default.
    RootOnly,
}

impl EnforceStatfs {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        Ok(match integer::<u8>(0..=2)(reader, value)? {
            0 => Self::All,
            1 => Self::BelowRoot,
            _ => Self::RootOnly,
        })
    }
}

impl From<EnforceStatfs> for i32 {
    /// The parameter as the kernel takes it.
    fn from(value: EnforceStatfs) -> Self {
        match value {
            EnforceStatfs::All => 0,
            EnforceStatfs::BelowRoot => 1,
            EnforceStatfs::RootOnly => 2,
        }
    }
}

impl Serialize for EnforceStatfs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32((*self).into())
    }
}
