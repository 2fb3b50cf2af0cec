use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use libc::{AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};
use runj_jail::{Errno, Jail, Jailsys, Params, Value};

use crate::cases;
use crate::support::jail;
use crate::sys;

cases![
    without_addresses_there_is_no_network,
    an_empty_list_means_none,
    raw_sockets_need_permission,
    a_server_inside_is_reached_with_an_inherited_stack,
    a_server_outside_is_reached_with_an_inherited_stack,
    a_stack_of_its_own_is_empty,
    a_server_inside_is_reached_at_the_jails_address,
    a_server_outside_is_reached_from_the_jails_address,
    the_addresses_of_others_cannot_be_bound,
    datagrams_come_from_the_jails_address,
    a_change_of_addresses_counts_at_once,
];

/// A jail that has those addresses and no others.
pub(crate) fn restricted(addresses: &[Ipv4Addr]) -> Params {
    let mut params = Params::new();
    params.push("ip4.addr", Value::Ip4(addresses.to_vec()));
    params
}

fn sockets(jail: &Jail, wanted: &[(i32, i32)]) -> Vec<i32> {
    let seen = sys::run(*jail, |output| {
        for (family, kind) in wanted {
            writeln!(output, "{}", sys::socket(*family, *kind, i32::from(*kind == SOCK_RAW)))
                .unwrap();
        }
    });
    seen.lines().map(|line| line.parse().unwrap()).collect()
}

const NO_PROTOCOL: i32 = Errno::EPROTONOSUPPORT as i32;

fn without_addresses_there_is_no_network() {
    let wanted = [(AF_INET, SOCK_STREAM), (AF_INET, SOCK_DGRAM), (AF_INET6, SOCK_STREAM)];
    let unset = jail(Params::new());
    assert_eq!(sockets(&unset, &wanted), [NO_PROTOCOL; 3]);
    let disabled = Params::new().jailsys("ip4", Jailsys::Disable).jailsys("ip6", Jailsys::Disable);
    assert_eq!(sockets(&jail(disabled), &wanted), [NO_PROTOCOL; 3]);
    assert_eq!(sockets(&unset, &[(AF_UNIX, SOCK_STREAM)]), [0]);
    let only_four = jail(Params::new().jailsys("ip4", Jailsys::Inherit));
    assert_eq!(sockets(&only_four, &wanted), [0, 0, NO_PROTOCOL]);
}

fn an_empty_list_means_none() {
    let jail = jail(restricted(&[]).jailsys("ip4", Jailsys::Inherit));
    assert_eq!(sockets(&jail, &[(AF_INET, SOCK_STREAM)]), [NO_PROTOCOL]);
}

fn raw_sockets_need_permission() {
    let inherit = || Params::new().jailsys("ip4", Jailsys::Inherit);
    let wanted = [(AF_INET, SOCK_RAW), (AF_INET, SOCK_STREAM)];
    assert_eq!(sockets(&jail(inherit()), &wanted), [Errno::EPERM as i32, 0]);
    let allowed = jail(inherit().flag("allow.raw_sockets", true));
    assert_eq!(sockets(&allowed, &wanted), [0, 0]);
    // A stack of its own is the jail's to do with as it likes.
    let own = jail(Params::new().jailsys("vnet", Jailsys::New));
    assert_eq!(sockets(&own, &wanted), [0, 0]);
}

/// A server in the jail: says where it listens, then answers one connection with the address
/// that it came from.
fn serve(output: &mut File, address: IpAddr) {
    let listener = match TcpListener::bind((address, 0)) {
        Ok(listener) => listener,
        Err(error) => return writeln!(output, "{error:?}").unwrap(),
    };
    writeln!(output, "{}", listener.local_addr().unwrap()).unwrap();
    let (mut stream, peer) = listener.accept().unwrap();
    write!(stream, "{}", peer.ip()).unwrap();
}

/// Connects and reads all that comes; what was read, and from where it was seen.
fn fetch(address: SocketAddr) -> (String, SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text, stream.local_addr().unwrap())
}

fn a_server_inside_is_reached_with_an_inherited_stack() {
    let jail = jail(Params::new().jailsys("ip4", Jailsys::Inherit));
    let mut server = sys::start(*jail, |output| serve(output, Ipv4Addr::LOCALHOST.into()));
    let address: SocketAddr = server.line().parse().unwrap();
    assert_eq!(fetch(address).0, "127.0.0.1");
    server.finish();
}

/// A server outside, on any address of the host, that tells a client in the jail where its
/// connection comes from; and where the client thinks it goes to.
fn outside(jail: &Jail, target: Ipv4Addr) -> (String, String) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = sys::start(*jail, |output| match TcpStream::connect((target, port)) {
        Ok(mut stream) => {
            writeln!(output, "{}", stream.peer_addr().unwrap().ip()).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            write!(output, "{text}").unwrap();
        }
        Err(error) => writeln!(output, "{error:?}").unwrap(),
    });
    let reached = client.line();
    if reached.parse::<IpAddr>().is_ok() {
        let (mut stream, peer) = listener.accept().unwrap();
        write!(stream, "{}", peer.ip()).unwrap();
    }
    (reached, client.finish().0)
}

fn a_server_outside_is_reached_with_an_inherited_stack() {
    let jail = jail(Params::new().jailsys("ip4", Jailsys::Inherit));
    let seen = outside(&jail, Ipv4Addr::LOCALHOST);
    assert_eq!(seen, ("127.0.0.1".into(), "127.0.0.1".into()));
}

fn a_stack_of_its_own_is_empty() {
    let jail = jail(Params::new().jailsys("vnet", Jailsys::New));
    assert_eq!(sockets(&jail, &[(AF_INET, SOCK_STREAM)]), [0]);
    let (reached, _) = outside(&jail, Ipv4Addr::LOCALHOST);
    let unreachable = [libc::ENETUNREACH, libc::EADDRNOTAVAIL, libc::EHOSTUNREACH];
    assert!(unreachable.iter().any(|e| reached.contains(&format!("code: {e},"))), "{reached}");
}

fn a_server_inside_is_reached_at_the_jails_address() {
    let jail = jail(restricted(&[Ipv4Addr::LOCALHOST]));
    for address in [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED] {
        let mut server = sys::start(*jail, |output| serve(output, address.into()));
        let address: SocketAddr = server.line().parse().unwrap();
        assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
        assert_eq!(fetch(address).0, "127.0.0.1");
        server.finish();
    }
}

fn a_server_outside_is_reached_from_the_jails_address() {
    let jail = jail(restricted(&[Ipv4Addr::LOCALHOST]));
    let seen = outside(&jail, Ipv4Addr::LOCALHOST);
    assert_eq!(seen, ("127.0.0.1".into(), "127.0.0.1".into()));
}

fn the_addresses_of_others_cannot_be_bound() {
    let jail = jail(restricted(&[Ipv4Addr::LOCALHOST]));
    let other = Ipv4Addr::new(192, 0, 2, 7);
    let seen = sys::run(*jail, |output| serve(output, other.into()));
    let expected = format!("code: {},", libc::EADDRNOTAVAIL);
    assert!(seen.contains(&expected), "{seen}");
}

fn datagrams_come_from_the_jails_address() {
    let jail = jail(restricted(&[Ipv4Addr::LOCALHOST]));
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut sender = sys::start(*jail, |output| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        writeln!(output, "{}", socket.local_addr().unwrap().ip()).unwrap();
        socket.send_to(b"hello", (Ipv4Addr::LOCALHOST, port)).unwrap();
    });
    assert_eq!(sender.line(), "127.0.0.1");
    sender.finish();
    let mut bytes = [0; 16];
    let (length, from) = socket.recv_from(&mut bytes).unwrap();
    assert_eq!((&bytes[..length], from.ip()), (&b"hello"[..], Ipv4Addr::LOCALHOST.into()));
}

fn a_change_of_addresses_counts_at_once() {
    let other = Ipv4Addr::new(192, 0, 2, 7);
    let jail = jail(restricted(&[other]));
    let expected = format!("code: {},", libc::EADDRNOTAVAIL);
    // The address is on no interface.
    let seen = sys::run(*jail, |output| serve(output, other.into()));
    assert!(seen.contains(&expected), "{seen}");
    jail.update(&restricted(&[Ipv4Addr::LOCALHOST])).unwrap();
    let seen = outside(&jail, Ipv4Addr::LOCALHOST);
    assert_eq!(seen, ("127.0.0.1".into(), "127.0.0.1".into()));
}
