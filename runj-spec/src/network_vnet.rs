//! The network stack in the older form of the network configuration.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, checked};
use crate::lists::interfaces;
use crate::{InterfaceName, VnetMode};

/// The network stack of a container: `network.vnet`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NetworkVnet {
    /// Whose network stack the container uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<VnetMode>,
    /// The host's interfaces that are moved into it, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<InterfaceName>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl NetworkVnet {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            mode: fields.optional("mode", checked),
            interfaces: interfaces(&mut fields, "interfaces"),
            extra: fields.rest(),
        })
    }
}
