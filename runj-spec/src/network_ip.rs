//! The addresses of one IP family in the older form of the network configuration.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, checked};
use crate::lists::addresses;
use crate::{AddressFamily, IpAddress, IpMode};

/// The addresses of one IP family: `network.ipv4` and `network.ipv6`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkIp<A: AddressFamily> {
    /// Which addresses the container may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<IpMode>,
    /// The addresses, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addr: Vec<IpAddress<A>>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl<A: AddressFamily> NetworkIp<A> {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            mode: fields.optional("mode", checked),
            addr: addresses(&mut fields, "addr"),
            extra: fields.rest(),
        })
    }
}

impl<A: AddressFamily> Default for NetworkIp<A> {
    fn default() -> Self {
        Self { mode: None, addr: Vec::new(), extra: Map::new() }
    }
}
