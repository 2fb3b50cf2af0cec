//! Two interfaces that are connected with each other, for a test to play with.

use nix::net::if_::if_nametoindex;
use runj_spec::InterfaceName;

use crate::pair_sys;

/// A pair of interfaces: epair(4), and on the development host veth(4).
pub(crate) struct Pair {
    pub(crate) a: InterfaceName,
    pub(crate) b: InterfaceName,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (a, b) = pair_sys::create();
        Self { a: a.parse().unwrap(), b: b.parse().unwrap() }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // With one end goes the other. Both may be gone with a jail.
        pair_sys::destroy(self.a.as_ref());
    }
}

/// Whether the host has an interface of that name.
pub(crate) fn has_interface(interface: &InterfaceName) -> bool {
    if_nametoindex(interface.as_ref()).is_ok()
}

/// The interface that every network stack has.
pub(crate) fn loopback() -> InterfaceName {
    let name = if cfg!(target_os = "freebsd") { "lo0" } else { "lo" };
    name.parse().unwrap()
}
