//! FreeBSD: interface requests by ioctl(2), as netintro(4) and ifconfig(8) have them.
//!
//! libc knows neither these requests nor the structures of the IPv4 and IPv6 ones.

use std::ffi::{c_char, c_int};
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, socket};
use runj_jail::Jail;
use runj_spec::InterfaceName;

use super::Readiness;

type Name = [c_char; libc::IFNAMSIZ];

/// `struct in_aliasreq` (netinet/in_var.h).
#[repr(C)]
struct InAliasreq {
    name: Name,
    addr: libc::sockaddr_in,
    /// Left empty: the kernel works it out from the address and the mask.
    broadaddr: libc::sockaddr_in,
    mask: libc::sockaddr_in,
    vhid: c_int,
}

/// `struct ifreq` (net/if.h) with an IPv4 address.
#[repr(C)]
struct InIfreq {
    name: Name,
    addr: libc::sockaddr_in,
}

/// `struct in6_addrlifetime` (netinet6/in6_var.h).
#[repr(C)]
struct In6Addrlifetime {
    expire: libc::time_t,
    preferred: libc::time_t,
    vltime: u32,
    pltime: u32,
}

/// `struct in6_aliasreq` (netinet6/in6_var.h).
#[repr(C)]
struct In6Aliasreq {
    name: Name,
    addr: libc::sockaddr_in6,
    dstaddr: libc::sockaddr_in6,
    prefixmask: libc::sockaddr_in6,
    flags: c_int,
    lifetime: In6Addrlifetime,
    vhid: c_int,
}

/// `struct in6_ifreq` (netinet6/in6_var.h).
#[repr(C)]
struct In6Ifreq {
    name: Name,
    ifru: In6Ifru,
}

/// The union in [`In6Ifreq`].
#[repr(C)]
union In6Ifru {
    addr: libc::sockaddr_in6,
    flags6: c_int,
    /// `struct icmp6_ifstat`, the largest member.
    stat: [u64; 34],
}

/// `IN6_IFF_TENTATIVE` and `IN6_IFF_DUPLICATED` (netinet6/in6_var.h).
const TENTATIVE: c_int = 0x02;
const DUPLICATED: c_int = 0x04;

/// `ND6_INFINITE_LIFETIME` (netinet6/nd6.h).
const INFINITE: u32 = u32::MAX;

/// The requests, from sys/sockio.h and netinet6/in6_var.h.
mod request {
    use super::{In6Aliasreq, In6Ifreq, InAliasreq, InIfreq};

    nix::ioctl_write_ptr!(siocdifaddr, b'i', 25, InIfreq);
    nix::ioctl_write_ptr!(siocdifaddr_in6, b'i', 25, In6Ifreq);
    nix::ioctl_write_ptr!(siocaifaddr_in6, b'i', 27, In6Aliasreq);
    nix::ioctl_write_ptr!(siocaifaddr, b'i', 43, InAliasreq);
    nix::ioctl_readwrite!(siocgifaflag_in6, b'i', 73, In6Ifreq);
    nix::ioctl_readwrite!(siocsifvnet, b'i', 90, libc::ifreq);
    nix::ioctl_readwrite!(siocsifrvnet, b'i', 91, libc::ifreq);
}

const _: () = {
    // Sizes, offsets and requests as a C compiler has them from the headers of FreeBSD 13.2, on
    // amd64 and on arm64.
    assert!(size_of::<InAliasreq>() == 68 && offset_of!(InAliasreq, vhid) == 64);
    assert!(size_of::<InIfreq>() == 32 && size_of::<libc::ifreq>() == 32);
    assert!(size_of::<In6Aliasreq>() == 136);
    assert!(offset_of!(In6Aliasreq, lifetime) == 104 && offset_of!(In6Aliasreq, vhid) == 128);
    assert!(size_of::<In6Ifreq>() == 288);
    assert!(nix::request_code_write!(b'i', 25, size_of::<InIfreq>()) == 0x8020_6919);
    assert!(nix::request_code_write!(b'i', 25, size_of::<In6Ifreq>()) == 0x8120_6919);
    assert!(nix::request_code_write!(b'i', 27, size_of::<In6Aliasreq>()) == 0x8088_691b);
    assert!(nix::request_code_write!(b'i', 43, size_of::<InAliasreq>()) == 0x8044_692b);
    assert!(nix::request_code_readwrite!(b'i', 73, size_of::<In6Ifreq>()) == 0xc120_6949);
    assert!(nix::request_code_readwrite!(b'i', 90, size_of::<libc::ifreq>()) == 0xc020_695a);
    assert!(nix::request_code_readwrite!(b'i', 91, size_of::<libc::ifreq>()) == 0xc020_695b);
};

/// Adds an address to an interface, as `ifconfig IF inet ADDRESS/PREFIX alias` does.
///
/// The kernel replaces an address that is there.
pub(crate) fn add_alias(
    interface: &InterfaceName,
    address: IpAddr,
    prefix: u8,
) -> Result<(), Errno> {
    let name = name(interface);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(prefix.into())).unwrap_or(0);
            let request = InAliasreq {
                name,
                addr: sockaddr_in(address),
                // SAFETY: a sockaddr_in is numbers, which may all be zero.
                broadaddr: unsafe { std::mem::zeroed() },
                mask: sockaddr_in(Ipv4Addr::from_bits(mask)),
                vhid: 0,
            };
            let socket = control(AddressFamily::Inet)?;
            // SAFETY: the request takes this structure, and only reads it.
            unsafe { request::siocaifaddr(socket.as_raw_fd(), &raw const request) }?;
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(prefix.into())).unwrap_or(0);
            let request = In6Aliasreq {
                name,
                addr: sockaddr_in6(address),
                // SAFETY: a sockaddr_in6 is numbers, which may all be zero.
                dstaddr: unsafe { std::mem::zeroed() },
                prefixmask: sockaddr_in6(Ipv6Addr::from_bits(mask)),
                flags: 0,
                lifetime: In6Addrlifetime {
                    expire: 0,
                    preferred: 0,
                    vltime: INFINITE,
                    pltime: INFINITE,
                },
                vhid: 0,
            };
            let socket = control(AddressFamily::Inet6)?;
            // SAFETY: the request takes this structure, and only reads it.
            unsafe { request::siocaifaddr_in6(socket.as_raw_fd(), &raw const request) }?;
        }
    }
    Ok(())
}

/// Removes an address from an interface; the kernel goes by the address alone.
pub(crate) fn remove_alias(
    interface: &InterfaceName,
    address: IpAddr,
    _prefix: u8,
) -> Result<(), Errno> {
    match address {
        IpAddr::V4(address) => {
            // Were the length or family of the address wrong, the kernel would remove any.
            let request = InIfreq { name: name(interface), addr: sockaddr_in(address) };
            let socket = control(AddressFamily::Inet)?;
            // SAFETY: the request takes this structure, and only reads it.
            unsafe { request::siocdifaddr(socket.as_raw_fd(), &raw const request) }?;
        }
        IpAddr::V6(address) => {
            let request = in6_ifreq(interface, address);
            let socket = control(AddressFamily::Inet6)?;
            // SAFETY: the request takes this structure, and only reads it.
            unsafe { request::siocdifaddr_in6(socket.as_raw_fd(), &raw const request) }?;
        }
    }
    Ok(())
}

/// How far duplicate address detection is with an address of an interface.
pub(crate) fn readiness(interface: &InterfaceName, address: Ipv6Addr) -> Result<Readiness, Errno> {
    let mut request = in6_ifreq(interface, address);
    let socket = control(AddressFamily::Inet6)?;
    // SAFETY: the request takes this structure, which is exclusively borrowed.
    unsafe { request::siocgifaflag_in6(socket.as_raw_fd(), &raw mut request) }?;
    // SAFETY: the kernel answered with the flags, and any bits are an int.
    let flags = unsafe { request.ifru.flags6 };
    Ok(if flags & DUPLICATED != 0 {
        Readiness::Duplicate
    } else if flags & TENTATIVE != 0 {
        Readiness::Tentative
    } else {
        Readiness::Ready
    })
}

/// Moves an interface of this process's network stack into that of a jail.
pub(crate) fn move_in(interface: &InterfaceName, jail: Jail) -> Result<(), Errno> {
    let mut request = jail_ifreq(interface, jail);
    let socket = control(AddressFamily::Unix)?;
    // SAFETY: the request takes this structure, which is exclusively borrowed.
    unsafe { request::siocsifvnet(socket.as_raw_fd(), &raw mut request) }.map(drop)
}

/// Moves an interface of a jail's network stack into that of this process.
pub(crate) fn move_home(interface: &InterfaceName, jail: Jail) -> Result<(), Errno> {
    let mut request = jail_ifreq(interface, jail);
    let socket = control(AddressFamily::Unix)?;
    // SAFETY: the request takes this structure, which is exclusively borrowed.
    unsafe { request::siocsifrvnet(socket.as_raw_fd(), &raw mut request) }.map(drop)
}

/// A socket to put requests through; those about addresses want one of their family.
fn control(family: AddressFamily) -> Result<OwnedFd, Errno> {
    socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
}

/// An interface's name, padded with NUL; the type sees to it that there is at least one.
fn name(interface: &InterfaceName) -> Name {
    let mut name = Name::default();
    for (to, from) in name.iter_mut().zip(interface.as_ref().bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
    name
}

fn sockaddr_in(address: Ipv4Addr) -> libc::sockaddr_in {
    SockaddrIn::from(SocketAddrV4::new(address, 0)).into()
}

fn sockaddr_in6(address: Ipv6Addr) -> libc::sockaddr_in6 {
    SockaddrIn6::from(SocketAddrV6::new(address, 0, 0, 0)).into()
}

fn in6_ifreq(interface: &InterfaceName, address: Ipv6Addr) -> In6Ifreq {
    let mut ifru = In6Ifru { stat: [0; 34] };
    ifru.addr = sockaddr_in6(address);
    In6Ifreq { name: name(interface), ifru }
}

fn jail_ifreq(interface: &InterfaceName, jail: Jail) -> libc::ifreq {
    // SAFETY: an ifreq is numbers and pointers, which may all be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name = name(interface);
    request.ifr_ifru.ifru_jid = jail.jid().as_raw();
    request
}
