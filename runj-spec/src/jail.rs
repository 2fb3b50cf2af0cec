//! The jail of a container, merged from all that describes it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::{
    AllowParameter, EnforceStatfs, HostMode, InterfaceName, IpAddress, IpMode, Sourced, SysvMode,
    VnetMode,
};

/// The jail of a container, merged from all that describes it. Each value remembers where it was
/// given; what was not given is left to the kernel's default.
///
/// Each value is right for itself. Whether the kernel takes them together is for runj-net to say.
///
/// It serialises under the names of jail(8)'s parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Jail {
    /// The name of the parent jail, if the host is not the parent: 1 to 255 bytes without NUL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Sourced<String>>,
    /// Whose host name the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Sourced<HostMode>>,
    /// Which IPv4 addresses the container may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip4: Option<Sourced<IpMode>>,
    /// The IPv4 addresses, each once; the first is the primary one.
    #[serde(rename = "ip4.addr", skip_serializing_if = "Vec::is_empty")]
    pub ip4_addr: Vec<Sourced<IpAddress<Ipv4Addr>>>,
    /// Which IPv6 addresses the container may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip6: Option<Sourced<IpMode>>,
    /// The IPv6 addresses, each once; the first is the primary one.
    #[serde(rename = "ip6.addr", skip_serializing_if = "Vec::is_empty")]
    pub ip6_addr: Vec<Sourced<IpAddress<Ipv6Addr>>>,
    /// Whose network stack the container uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vnet: Option<Sourced<VnetMode>>,
    /// The host's interfaces that are moved into the container's network stack, each once.
    #[serde(rename = "vnet.interface", skip_serializing_if = "Vec::is_empty")]
    pub vnet_interfaces: Vec<Sourced<InterfaceName>>,
    /// The host's interface that gets the container's addresses as aliases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<Sourced<InterfaceName>>,
    /// Which System V message queues the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvmsg: Option<Sourced<SysvMode>>,
    /// Which System V semaphores the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvsem: Option<Sourced<SysvMode>>,
    /// Which System V shared memory the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvshm: Option<Sourced<SysvMode>>,
    /// Which mounts the container sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_statfs: Option<Sourced<EnforceStatfs>>,
    /// What the container is allowed (true) or forbidden (false), by the names of jail(8).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub allow: BTreeMap<AllowParameter, Sourced<bool>>,
}
