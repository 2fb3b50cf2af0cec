//! The system calls of a jail that is restricted to some addresses, and what becomes of them.
//!
//! Addresses are changed in the caller's own memory before the kernel carries the call out; the
//! source of what leaves an unbound socket is bound first, through a duplicate of the socket.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    SockType, SockaddrIn, SockaddrIn6, SockaddrStorage, bind, getsockname, getsockopt, setsockopt,
    sockopt,
};

use super::addresses::{Address, local, remote};
use super::listener::Call;
use super::prison::Prison;

/// The most messages that one sendmmsg(2) sends (`UIO_MAXIOV`).
const MOST_MESSAGES: u64 = 1024;

/// An address in the caller's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named {
    address: Ip,
    /// Where its bytes are.
    at: u64,
}

/// An address by how the jail sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ip {
    V4(Ipv4Addr),
    /// An IPv4 address, used with an IPv6 socket.
    Mapped(Ipv4Addr),
    V6(Ipv6Addr),
}

/// Does what has to be done before the kernel carries the call out; an error is what the caller
/// gets instead.
pub(super) fn prepare(call: &Call<'_>, prison: &Prison) -> Result<(), Errno> {
    let [_, second, third, _, fifth, sixth] = call.arguments;
    match call.number {
        libc::SYS_bind => bind_to(call, prison, second, third),
        libc::SYS_connect => reach(call, prison, second, third),
        libc::SYS_sendto => reach(call, prison, fifth, sixth),
        libc::SYS_sendmsg => send(call, prison, second),
        libc::SYS_sendmmsg => {
            for index in 0..third.min(MOST_MESSAGES) {
                send(call, prison, second + index * size_of::<libc::mmsghdr>() as u64)?;
            }
            Ok(())
        }
        libc::SYS_listen => listen(call, prison),
        _ => Ok(()),
    }
}

/// bind(2): only to the jail's own addresses.
fn bind_to(call: &Call<'_>, prison: &Prison, at: u64, length: u64) -> Result<(), Errno> {
    let Some(named) = named(call, at, length)? else { return Ok(()) };
    match named.address {
        Ip::V4(address) | Ip::Mapped(address) => {
            let Some(list) = &prison.ip4.list else { return Ok(()) };
            change(call, named, address, local(list, address)?, |new| new.octets().to_vec())
        }
        Ip::V6(address) => {
            let Some(list) = &prison.ip6.list else { return Ok(()) };
            // A socket for both families stays open to both.
            if address.is_any() && !getsockopt(&call.descriptor()?, sockopt::Ipv6V6Only)? {
                return Ok(());
            }
            change(call, named, address, local(list, address)?, |new| new.octets().to_vec())
        }
    }
}

/// connect(2) and sending: the loopback address means the jail's own, and what has no source
/// address yet gets the jail's first one.
fn reach(call: &Call<'_>, prison: &Prison, at: u64, length: u64) -> Result<(), Errno> {
    let Some(named) = named(call, at, length)? else { return Ok(()) };
    match named.address {
        Ip::V4(address) => {
            let Some(list) = &prison.ip4.list else { return Ok(()) };
            let first = *list.first().ok_or(Errno::EAFNOSUPPORT)?;
            change(call, named, address, remote(list, address), |new| new.octets().to_vec())?;
            bind_source(&call.descriptor()?, Ip::V4(first))
        }
        Ip::Mapped(address) => {
            let Some(list) = &prison.ip4.list else { return Ok(()) };
            let first = *list.first().ok_or(Errno::EAFNOSUPPORT)?;
            change(call, named, address, remote(list, address), |new| new.octets().to_vec())?;
            bind_source(&call.descriptor()?, Ip::Mapped(first))
        }
        Ip::V6(address) => {
            let Some(list) = &prison.ip6.list else { return Ok(()) };
            let first = *list.first().ok_or(Errno::EAFNOSUPPORT)?;
            change(call, named, address, remote(list, address), |new| new.octets().to_vec())?;
            bind_source(&call.descriptor()?, Ip::V6(first))
        }
    }
}

/// One message of sendmsg(2) or sendmmsg(2).
fn send(call: &Call<'_>, prison: &Prison, at: u64) -> Result<(), Errno> {
    // struct msghdr begins with a pointer to the address and the address's length.
    let header: [u8; 12] = call.read(at)?;
    let (name, length) = header.split_at(8);
    let name = u64::from_ne_bytes(name.try_into().map_err(|_| Errno::EFAULT)?);
    let length = u32::from_ne_bytes(length.try_into().map_err(|_| Errno::EFAULT)?);
    if name == 0 { Ok(()) } else { reach(call, prison, name, length.into()) }
}

/// listen(2) on a socket that is not bound binds it, as to no address in particular.
fn listen(call: &Call<'_>, prison: &Prison) -> Result<(), Errno> {
    let socket = call.descriptor()?;
    let Some(bound) = internet_name(&socket) else { return Ok(()) };
    if bound.port() != 0 {
        return Ok(());
    }
    match bound {
        SocketAddr::V4(_) => {
            let Some(list) = &prison.ip4.list else { return Ok(()) };
            bind_source(&socket, Ip::V4(local(list, Ipv4Addr::UNSPECIFIED)?))
        }
        SocketAddr::V6(_) => {
            let Some(list) = &prison.ip6.list else { return Ok(()) };
            if !getsockopt(&socket, sockopt::Ipv6V6Only)? {
                return Ok(());
            }
            bind_source(&socket, Ip::V6(local(list, Ipv6Addr::UNSPECIFIED)?))
        }
    }
}

/// Replaces an address in the caller's memory.
fn change<A: PartialEq>(
    call: &Call<'_>,
    named: Named,
    old: A,
    new: A,
    octets: impl Fn(&A) -> Vec<u8>,
) -> Result<(), Errno> {
    if old == new { Ok(()) } else { call.write(named.at, &octets(&new)) }
}

/// The Internet address in a `struct sockaddr` of the caller's; `None` when it is of another
/// family, or too short, which the kernel refuses by itself.
fn named(call: &Call<'_>, at: u64, length: u64) -> Result<Option<Named>, Errno> {
    // What a sockaddr_in6 is at least (`SIN6_LEN_RFC2133`): all but the scope.
    const SOCKADDR_IN6: u64 = 24;
    const SOCKADDR_IN: u64 = 16;
    if at == 0 || length < SOCKADDR_IN {
        return Ok(None);
    }
    let family = i32::from(u16::from_ne_bytes(call.read(at)?));
    Ok(match family {
        libc::AF_INET => {
            let at = at + 4;
            Some(Named { address: Ip::V4(call.read::<4>(at)?.into()), at })
        }
        libc::AF_INET6 if length >= SOCKADDR_IN6 => Some(in6(call.read::<16>(at + 8)?, at + 8)),
        _ => None,
    })
}

fn in6(octets: [u8; 16], at: u64) -> Named {
    let address = Ipv6Addr::from(octets);
    match address.to_ipv4_mapped() {
        Some(mapped) => Named { address: Ip::Mapped(mapped), at: at + 12 },
        None => Named { address: Ip::V6(address), at },
    }
}

/// Binds a socket that is not bound yet to a port of that address that the kernel chooses.
fn bind_source(socket: &OwnedFd, source: Ip) -> Result<(), Errno> {
    let Some(bound) = internet_name(socket) else { return Ok(()) };
    let kind = getsockopt(socket, sockopt::SockType)?;
    // What is the port of others is the protocol of a raw socket.
    let unbound = bound.ip().is_unspecified() && (bound.port() == 0 || kind == SockType::Raw);
    if !unbound {
        return Ok(());
    }
    if kind == SockType::Stream {
        // Only a wish: without it ports are used up faster.
        let _ = setsockopt(socket, sockopt::IpBindAddressNoPort, &true);
    }
    let fd = socket.as_raw_fd();
    let bound = match source {
        Ip::V4(address) => bind(fd, &SockaddrIn::from(SocketAddrV4::new(address, 0))),
        Ip::Mapped(address) => bind_v6(fd, address.to_ipv6_mapped()),
        Ip::V6(address) => bind_v6(fd, address),
    };
    match bound {
        // Somebody was faster.
        Err(Errno::EINVAL) => Ok(()),
        result => result,
    }
}

fn bind_v6(fd: i32, address: Ipv6Addr) -> Result<(), Errno> {
    bind(fd, &SockaddrIn6::from(SocketAddrV6::new(address, 0, 0, 0)))
}

/// The address that an Internet socket is bound to; `None` when it is another kind of socket, or
/// none.
fn internet_name(socket: &OwnedFd) -> Option<SocketAddr> {
    let name: SockaddrStorage = getsockname(socket.as_raw_fd()).ok()?;
    let v4 = name.as_sockaddr_in().map(|name| SocketAddrV4::from(*name).into());
    v4.or_else(|| name.as_sockaddr_in6().map(|name| SocketAddrV6::from(*name).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_an_ipv4_address() {
        let mapped = Ipv4Addr::new(10, 0, 0, 2).to_ipv6_mapped();
        let named = in6(mapped.octets(), 100);
        assert_eq!(named, Named { address: Ip::Mapped(Ipv4Addr::new(10, 0, 0, 2)), at: 112 });
        let named = in6(Ipv6Addr::LOCALHOST.octets(), 100);
        assert_eq!(named, Named { address: Ip::V6(Ipv6Addr::LOCALHOST), at: 100 });
    }
}
