//! The network as a process finds it.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, SockaddrLike as _};
use serde_json::{Map, Value, json};

use crate::say;

/// How long a peer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether there are sockets of a family, or raw ones of IPv4.
pub(crate) fn socket(family: &str) -> Result<Value, Errno> {
    let (family, kind, protocol) = match family {
        "inet" => (AddressFamily::Inet, SockType::Stream, None),
        "inet6" => (AddressFamily::Inet6, SockType::Stream, None),
        "raw" => (AddressFamily::Inet, SockType::Raw, Some(SockProtocol::Icmp)),
        _ => panic!("no such family: {family}"),
    };
    let made = nix::sys::socket::socket(family, kind, SockFlag::empty(), protocol)?;
    drop(made);
    Ok(json!({ "socket": true }))
}

/// Whether an address may be bound to.
pub(crate) fn bind(address: &str) -> Result<Value, Errno> {
    let listener = TcpListener::bind(address).map_err(errno)?;
    Ok(json!({ "bound": listener.local_addr().map_err(errno)?.to_string() }))
}

/// What a server there says.
pub(crate) fn connect(address: &str) -> Result<Value, Errno> {
    let mut stream = TcpStream::connect(address).map_err(errno)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(errno)?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(errno)?;
    Ok(json!({ "received": text }))
}

/// Serves one who connects.
pub(crate) fn serve(address: &str) {
    let listener = TcpListener::bind(address).expect("a listener");
    say(&json!({ "listening": listener.local_addr().expect("an address").to_string() }));
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.write_all(b"from inside").expect("a connection");
}

/// All interfaces, each with whether it is up and its addresses.
pub(crate) fn interfaces() -> Value {
    let mut interfaces = Map::new();
    for entry in getifaddrs().expect("interfaces") {
        let up = entry.flags.contains(InterfaceFlags::IFF_UP);
        let interface = interfaces
            .entry(entry.interface_name)
            .or_insert_with(|| json!({ "up": up, "addresses": [] }));
        let ip = entry.address.and_then(|address| match address.family()? {
            AddressFamily::Inet => Some(address.as_sockaddr_in()?.ip().to_string()),
            AddressFamily::Inet6 => Some(address.as_sockaddr_in6()?.ip().to_string()),
            _ => None,
        });
        if let Some(ip) = ip {
            interface["addresses"].as_array_mut().expect("a list").push(ip.into());
        }
    }
    interfaces.into()
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}
