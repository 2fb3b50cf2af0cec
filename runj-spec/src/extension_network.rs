//! The network of a container in runj.ext.json.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::schema::object;
use crate::{NetworkIp, NetworkVnet, ResolvConf};

object! {
    /// The network of a container: `network` in runj.ext.json.
    pub struct ExtensionNetwork {
        /// Its IPv4 addresses: jail(8) `ip4` and `ip4.addr`.
        "ipv4" => ipv4: NetworkIp<Ipv4Addr>,
        /// Its IPv6 addresses: jail(8) `ip6` and `ip6.addr`.
        "ipv6" => ipv6: NetworkIp<Ipv6Addr>,
        /// Its network stack: jail(8) `vnet` and `vnet.interface`.
        "vnet" => vnet: NetworkVnet,
        /// Which /etc/resolv.conf it has, unless config.json mounts one.
        "resolvConf" => resolv_conf: Option<ResolvConf>,
    }
}
