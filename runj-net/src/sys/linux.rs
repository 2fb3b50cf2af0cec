//! The development host: interface requests by rtnetlink(7), answered as FreeBSD answers.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::thread;

use netlink_packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};
use runj_jail::Jail;
use runj_spec::InterfaceName;

use super::Readiness;

/// Adds an address to an interface, or replaces it there.
pub(crate) fn add_alias(
    interface: &InterfaceName,
    address: IpAddr,
    prefix: u8,
) -> Result<(), Errno> {
    let message = address_message(interface, address, prefix)?;
    request(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_REPLACE)
}

/// Removes an address from an interface.
pub(crate) fn remove_alias(
    interface: &InterfaceName,
    address: IpAddr,
    prefix: u8,
) -> Result<(), Errno> {
    let message = address_message(interface, address, prefix)?;
    request(RouteNetlinkMessage::DelAddress(message), 0)
}

/// How far duplicate address detection is with an address of an interface.
pub(crate) fn readiness(interface: &InterfaceName, address: Ipv6Addr) -> Result<Readiness, Errno> {
    // Address, index, prefix length, scope, flags, name; all but the name in hexadecimal.
    let wanted = format!("{:032x}", address.to_bits());
    let table = fs::read_to_string("/proc/thread-self/net/if_inet6").map_err(errno)?;
    let flags = table
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
        .find_map(|fields| match fields[..] {
            [address, _, _, _, flags, name] if address == wanted && name == interface.as_ref() => {
                u32::from_str_radix(flags, 16).ok()
            }
            _ => None,
        })
        .ok_or(Errno::EADDRNOTAVAIL)?;
    Ok(if flags & libc::IFA_F_DADFAILED != 0 {
        Readiness::Duplicate
    } else if flags & libc::IFA_F_TENTATIVE != 0 {
        Readiness::Tentative
    } else {
        Readiness::Ready
    })
}

/// Moves an interface of this thread's network stack into that of a jail.
pub(crate) fn move_in(interface: &InterfaceName, jail: Jail) -> Result<(), Errno> {
    hand_over(interface, jail_stack(jail)?.as_fd())
}

/// Moves an interface of a jail's network stack into that of this thread.
pub(crate) fn move_home(interface: &InterfaceName, jail: Jail) -> Result<(), Errno> {
    let home = File::open("/proc/thread-self/ns/net").map_err(errno)?;
    let away = jail_stack(jail)?;
    // Netlink speaks to the stack of the thread that opens the socket, and a thread that changed
    // stacks must not go on with other things.
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, || {
            setns(&away, CloneFlags::CLONE_NEWNET)?;
            hand_over(interface, home.as_fd())
        });
        thread.map_err(errno)?.join().unwrap_or(Err(Errno::EIO))
    })
}

/// Moves an interface of this thread's network stack into another.
fn hand_over(interface: &InterfaceName, stack: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = index(interface)?;
    message.attributes.push(LinkAttribute::NetNsFd(stack.as_raw_fd()));
    request(RouteNetlinkMessage::SetLink(message), 0)
}

/// The network stack of a jail.
fn jail_stack(jail: Jail) -> Result<OwnedFd, Errno> {
    runj_jail::host::net_namespace(jail).map_err(|error| match error.errno() {
        Some(Errno::EINVAL) | None => Errno::ENXIO,
        Some(errno) => errno,
    })
}

fn address_message(
    interface: &InterfaceName,
    address: IpAddr,
    prefix: u8,
) -> Result<AddressMessage, Errno> {
    let mut message = AddressMessage::default();
    message.header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.prefix_len = prefix;
    message.header.index = index(interface)?;
    message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
    Ok(message)
}

fn index(interface: &InterfaceName) -> Result<u32, Errno> {
    if_nametoindex(interface.as_ref()).map_err(|errno| match errno {
        Errno::ENODEV => Errno::ENXIO,
        errno => errno,
    })
}

/// Asks the kernel for something that it does or refuses.
fn request(message: RouteNetlinkMessage, flags: u16) -> Result<(), Errno> {
    let mut packet = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    packet.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);

    let mut socket = Socket::new(NETLINK_ROUTE).map_err(errno)?;
    socket.bind_auto().map_err(errno)?;
    socket.connect(&SocketAddr::new(0, 0)).map_err(errno)?;
    socket.send(&bytes, 0).map_err(errno)?;
    // Longer than any acknowledgement, which repeats the request.
    let mut answer = Vec::with_capacity(8192);
    socket.recv(&mut answer, 0).map_err(errno)?;
    match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map(|answer| answer.payload) {
        Ok(NetlinkPayload::Error(ErrorMessage { code: None, .. })) => Ok(()),
        Ok(NetlinkPayload::Error(ErrorMessage { code: Some(code), .. })) => {
            Err(Errno::from_raw(-code.get()))
        }
        _ => Err(Errno::EPROTO),
    }
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
