//! A file system to mount in a container.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, c_string, non_empty};

/// A file system to mount in a container (OCI `mounts`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mount {
    /// Where in the container it appears: a path that starts with `/`. Of it, nothing is resolved
    /// here: it can hold `..`, and its components can be links.
    pub destination: String,
    /// The type of the file system.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// What is mounted: a device, a path (absolute or relative to the bundle), or any word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The options, as in fstab(5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Mount {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        fields.has_for_others(&["gidMappings", "uidMappings"]);
        let destination = fields.required("destination", "a path in the container", non_empty);
        let typ = fields.optional("type", non_empty);
        let source = fields.optional("source", c_string);
        let options = fields.list("options", "a list of mount options", c_string);
        Ok(Self {
            destination: from_root(destination?),
            typ,
            source,
            options,
            extra: fields.rest(),
        })
    }
}

/// Makes a relative path absolute. Old versions of the specification allow relative ones, and say
/// that they are relative to `/`.
fn from_root(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}
