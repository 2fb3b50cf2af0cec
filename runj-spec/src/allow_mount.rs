//! Which file systems a container may mount.

use serde::Serialize;
use serde_json::Value;

use crate::FileSystemType;
use crate::decode::{Decoded, Reader, checked};

/// Which file systems a container may mount (OCI `freebsd.jail.allow.mount`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AllowMount {
    /// jail(8)'s `allow.mount` as it is: whether it may mount at all. The types are allowed one by
    /// one beside it.
    Any(bool),
    /// What the specification says: these types. A list that is not empty implies `allow.mount`.
    Types(Vec<FileSystemType>),
}

impl AllowMount {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        match value {
            Value::Bool(any) => Ok(Self::Any(any)),
            other => {
                let expected = "a list of file system types, true or false";
                reader.one_or_more(other, expected, checked).map(Self::Types)
            }
        }
    }
}
