//! The jail of a container as the OCI specification describes it.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, checked, parent_jail};
use crate::serialize::is_default;
use crate::{
    EnforceStatfs, FreebsdJailAllow, HostMode, InterfaceName, IpAddress, IpMode, SysvMode, VnetMode,
};

/// The jail of a container (OCI 1.3 `freebsd.jail`, config-freebsd.md).
///
/// Drafts and readers of the specification disagree on which properties are lists: a text is taken
/// for a list of one, and a list of one for an interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FreebsdJail {
    /// The name of the parent jail, if the host is not the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whose host name the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostMode>,
    /// Which IPv4 addresses the container may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip4: Option<IpMode>,
    /// The IPv4 addresses of the container, each once; the first is the primary one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip4_addr: Vec<IpAddress<Ipv4Addr>>,
    /// Which IPv6 addresses the container may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip6: Option<IpMode>,
    /// The IPv6 addresses of the container, each once; the first is the primary one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip6_addr: Vec<IpAddress<Ipv6Addr>>,
    /// Whose network stack the container uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vnet: Option<VnetMode>,
    /// The host's interface that gets the container's addresses as aliases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceName>,
    /// The host's interfaces that are moved into the container's network stack, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vnet_interfaces: Vec<InterfaceName>,
    /// Which System V message queues the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvmsg: Option<SysvMode>,
    /// Which System V semaphores the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvsem: Option<SysvMode>,
    /// Which System V shared memory the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvshm: Option<SysvMode>,
    /// Which mounts the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_statfs: Option<EnforceStatfs>,
    /// What the container is allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub allow: FreebsdJailAllow,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl FreebsdJail {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            parent: fields.optional("parent", parent_jail),
            host: fields.optional("host", checked),
            ip4: fields.optional("ip4", checked),
            ip4_addr: fields.property("ip4Addr"),
            ip6: fields.optional("ip6", checked),
            ip6_addr: fields.property("ip6Addr"),
            vnet: fields.optional("vnet", checked),
            interface: fields.optional("interface", |reader, value| match value {
                Value::Array(mut names) if names.len() == 1 => {
                    checked(reader, names.swap_remove(0))
                }
                other => checked(reader, other),
            }),
            vnet_interfaces: fields.property("vnetInterfaces"),
            sysvmsg: fields.optional("sysvmsg", checked),
            sysvsem: fields.optional("sysvsem", checked),
            sysvshm: fields.optional("sysvshm", checked),
            enforce_statfs: fields.optional("enforceStatfs", EnforceStatfs::decode),
            allow: fields.optional("allow", FreebsdJailAllow::decode).unwrap_or_default(),
            extra: fields.rest(),
        })
    }
}
