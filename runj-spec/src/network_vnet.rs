//! The network stack in the older form of the network configuration.

use crate::schema::object;
use crate::{InterfaceName, VnetMode};

object! {
    /// The network stack of a container: `network.vnet`.
    pub struct NetworkVnet {
        /// Whose network stack the container uses.
        "mode" => mode: Option<VnetMode>,
        /// The host's interfaces that are moved into it, each once. They imply the mode `new`.
        "interfaces" => interfaces: Vec<InterfaceName>,
    }
}
