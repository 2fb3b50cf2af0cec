//! What the host's interfaces are.

use std::net::IpAddr;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::SockaddrStorage;
use runj_spec::InterfaceName;

/// Whether the host has an interface of that name.
pub(crate) fn has_interface(interface: &InterfaceName) -> bool {
    if_nametoindex(interface.as_ref()).is_ok()
}

/// Whether that interface of the host has the address, whatever its prefix length.
pub(crate) fn has_address(interface: &InterfaceName, address: IpAddr) -> Result<bool, Errno> {
    Ok(getifaddrs()?
        .filter(|entry| entry.interface_name == interface.as_ref())
        .filter_map(|entry| ip_address(entry.address.as_ref()?))
        .any(|present| present == address))
}

fn ip_address(address: &SockaddrStorage) -> Option<IpAddr> {
    let ip4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    ip4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}
