//! Who a process runs as.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, integer, uint32};

/// Who a process runs as (OCI `process.user`). All ids are 0 if not given: engines for FreeBSD
/// leave the user out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The file mode creation mask, if it is not to be that of the caller: at most 0o777.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// The supplementary groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_gids: Vec<u32>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl User {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        fields.has_for_others(&["username"]);
        Ok(Self {
            uid: fields.optional("uid", uint32).unwrap_or_default(),
            gid: fields.optional("gid", uint32).unwrap_or_default(),
            umask: fields.optional("umask", integer(0..=0o777)),
            additional_gids: fields.list("additionalGids", "a list of group ids", uint32),
            extra: fields.rest(),
        })
    }
}
