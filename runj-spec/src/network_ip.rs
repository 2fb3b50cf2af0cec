//! The addresses of one IP family in the older form of the network configuration.

use crate::schema::object;
use crate::{AddressFamily, IpAddress, IpMode};

object! {
    /// The addresses of one IP family: `network.ipv4` and `network.ipv6`.
    pub struct NetworkIp<A: AddressFamily> {
        /// Which addresses the container may use.
        "mode" => mode: Option<IpMode>,
        /// The addresses, each once; the first is the primary one. They imply the mode `new`.
        "addr" => addr: Vec<IpAddress<A>>,
    }
}
