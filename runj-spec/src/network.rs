//! The older form of the network configuration.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader};
use crate::serialize::is_default;
use crate::{NetworkIp, NetworkVnet};

/// The network of a container in the form that runj had before OCI 1.3: `network` in runj.ext.json,
/// and `freebsd.network` in config.json.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Network {
    /// Its IPv4 addresses.
    #[serde(skip_serializing_if = "is_default")]
    pub ipv4: NetworkIp<Ipv4Addr>,
    /// Its IPv6 addresses.
    #[serde(skip_serializing_if = "is_default")]
    pub ipv6: NetworkIp<Ipv6Addr>,
    /// Its network stack.
    #[serde(skip_serializing_if = "is_default")]
    pub vnet: NetworkVnet,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Network {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            ipv4: fields.optional("ipv4", NetworkIp::decode).unwrap_or_default(),
            ipv6: fields.optional("ipv6", NetworkIp::decode).unwrap_or_default(),
            vnet: fields.optional("vnet", NetworkVnet::decode).unwrap_or_default(),
            extra: fields.rest(),
        })
    }
}
