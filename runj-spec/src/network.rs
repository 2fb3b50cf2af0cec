//! The older form of the network configuration.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::schema::object;
use crate::{NetworkIp, NetworkVnet};

object! {
    /// The network of a container in the form that runj had before OCI 1.3: `freebsd.network` in
    /// config.json.
    pub struct Network {
        /// Its IPv4 addresses: jail(8) `ip4` and `ip4.addr`.
        "ipv4" => ipv4: NetworkIp<Ipv4Addr>,
        /// Its IPv6 addresses: jail(8) `ip6` and `ip6.addr`.
        "ipv6" => ipv6: NetworkIp<Ipv6Addr>,
        /// Its network stack: jail(8) `vnet` and `vnet.interface`.
        "vnet" => vnet: NetworkVnet,
    }
}
