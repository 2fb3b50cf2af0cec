//! The root file system of a container.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, boolean, non_empty};

/// The root file system of a container (OCI `root`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Root {
    /// Where it is: an absolute path, or one relative to the bundle. [`Root::DEFAULT_PATH`] if not
    /// given.
    pub path: String,
    /// Whether the container sees it read-only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub readonly: bool,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Root {
    /// The path if none is given: what the specification calls conventional.
    pub const DEFAULT_PATH: &'static str = "rootfs";

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            path: fields
                .optional("path", non_empty)
                .unwrap_or_else(|| Self::DEFAULT_PATH.to_owned()),
            readonly: fields.optional("readonly", boolean).unwrap_or_default(),
            extra: fields.rest(),
        })
    }
}

impl Default for Root {
    fn default() -> Self {
        Self { path: Self::DEFAULT_PATH.to_owned(), readonly: false, extra: Map::new() }
    }
}
