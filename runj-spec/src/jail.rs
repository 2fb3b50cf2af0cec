//! The jail of a container, merged from all that describes it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{
    AllowParameter, EnforceStatfs, HostMode, InterfaceName, IpAddress, IpMode, Sourced, SysvMode,
    VnetMode,
};

/// The jail of a container, merged from all that describes it. Each value remembers where it was
/// given; what was not given is left to the kernel's default.
///
/// Each value is right for itself. Whether the kernel takes them together is for runj-net to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jail {
    /// The name of the parent jail, if the host is not the parent: 1 to 255 bytes without NUL.
    pub parent: Option<Sourced<String>>,
    /// Whose host name the container sees.
    pub host: Option<Sourced<HostMode>>,
    /// Which IPv4 addresses the container may use.
    pub ip4: Option<Sourced<IpMode>>,
    /// The IPv4 addresses, each once; the first is the primary one.
    pub ip4_addr: Vec<Sourced<IpAddress<Ipv4Addr>>>,
    /// Which IPv6 addresses the container may use.
    pub ip6: Option<Sourced<IpMode>>,
    /// The IPv6 addresses, each once; the first is the primary one.
    pub ip6_addr: Vec<Sourced<IpAddress<Ipv6Addr>>>,
    /// Whose network stack the container uses.
    pub vnet: Option<Sourced<VnetMode>>,
    /// The host's interfaces that are moved into the container's network stack, each once.
    pub vnet_interfaces: Vec<Sourced<InterfaceName>>,
    /// The host's interface that gets the container's addresses as aliases.
    pub interface: Option<Sourced<InterfaceName>>,
    /// Which System V message queues the container sees.
    pub sysvmsg: Option<Sourced<SysvMode>>,
    /// Which System V semaphores the container sees.
    pub sysvsem: Option<Sourced<SysvMode>>,
    /// Which System V shared memory the container sees.
    pub sysvshm: Option<Sourced<SysvMode>>,
    /// Which mounts the container sees.
    pub enforce_statfs: Option<Sourced<EnforceStatfs>>,
    /// What the container is allowed (true) or forbidden (false), by the names of jail(8).
    pub allow: BTreeMap<AllowParameter, Sourced<bool>>,
}
