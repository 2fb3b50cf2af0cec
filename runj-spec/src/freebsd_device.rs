//! A device that a container may use.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, integer, is_c_string};

/// A device that a container may use (OCI `freebsd.devices`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FreebsdDevice {
    /// Its path relative to `/dev`, which it does not leave: `pf`, `dri/card0`.
    pub path: String,
    /// The permission bits that it gets in the container, at most 0o777. The host's if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl FreebsdDevice {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        const PATH: &str = "a path relative to /dev, such as \"pf\", without \"..\" or NUL bytes";

        let mut fields = reader.object(value)?;
        let path = fields.required("path", PATH, |reader, value| {
            reader.text(value, PATH, |text| {
                let stays = text.split('/').all(|component| !matches!(component, "" | "." | ".."));
                stays && is_c_string(text)
            })
        });
        let mode = fields.optional("mode", integer(0..=0o777));
        Ok(Self { path: path?, mode, extra: fields.rest() })
    }
}
