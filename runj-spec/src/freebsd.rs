//! The FreeBSD part of config.json.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader};
use crate::serialize::is_default;
use crate::{FreebsdDevice, FreebsdJail, Network, RctlRule};

/// The FreeBSD part of config.json (OCI 1.3 `freebsd`; `network` and `rctl` are runj's own).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Freebsd {
    /// The devices that the container may use beside those of its devfs ruleset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<FreebsdDevice>,
    /// The jail.
    #[serde(skip_serializing_if = "is_default")]
    pub jail: FreebsdJail,
    /// The network in its older form.
    #[serde(skip_serializing_if = "is_default")]
    pub network: Network,
    /// Rules about what the container may use, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rctl: Vec<RctlRule>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Freebsd {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            devices: fields.list("devices", "a list of objects", FreebsdDevice::decode),
            jail: fields.optional("jail", FreebsdJail::decode).unwrap_or_default(),
            network: fields.property("network"),
            rctl: fields.property("rctl"),
            extra: fields.rest(),
        })
    }
}
