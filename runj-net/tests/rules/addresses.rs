//! `ip4.addr` and `ip6.addr`: which lists a jail can have, and what it has of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use nix::errno::Errno;
use runj_jail::{Jailsys, Kind, Params, Value};
use runj_net::{Deed, Plan};
use serde_json::json;

use crate::ask::{
    Made, address, four, kernel, kernel_refuses, runj_explains, runj_refuses, runj_sends, six,
};
use crate::cases;
use crate::inside::inside;

cases![
    the_unspecified_address,
    the_broadcast_address,
    an_address_twice,
    an_address_of_no_host,
    more_addresses_than_the_kernel_allows,
    the_first_one_stays_first_and_the_rest_is_sorted,
    an_address_that_is_on_no_interface,
    the_loopback_address_becomes_the_first_one,
    the_loopback_address_stays_if_it_is_listed,
    any_address_becomes_the_only_one,
    another_address_cannot_be_bound,
    connections_come_from_the_only_one,
];

fn the_unspecified_address() {
    kernel_refuses(four(&[Ipv4Addr::UNSPECIFIED]), Errno::EINVAL, None);
    kernel_refuses(six(&["::"]), Errno::EINVAL, None);
    runj_refuses(&json!({ "ip4Addr": ["0.0.0.0"] }), "ip4Addr[0]");
    runj_refuses(&json!({ "ip6Addr": ["::"] }), "ip6Addr[0]");
}

fn the_broadcast_address() {
    kernel_refuses(four(&[Ipv4Addr::BROADCAST]), Errno::EINVAL, None);
    runj_refuses(&json!({ "ip4Addr": ["255.255.255.255"] }), "ip4Addr[0]");
}

fn an_address_twice() {
    let (a, b) = (address(1), address(2));
    for list in [&[a, a][..], &[a, b, a], &[b, a, a]] {
        kernel_refuses(four(list), Errno::EINVAL, None);
    }
    kernel_refuses(six(&["fd00::1", "fd00::1"]), Errno::EINVAL, None);
    runj_refuses(&json!({ "ip4Addr": [a, a] }), "ip4Addr[1]");
    runj_refuses(&json!({ "ip6Addr": ["fd00::1", "fd00:0::1"] }), "ip6Addr[1]");
    // The kernel has no prefix lengths.
    let prefixed = format!("{a}/24");
    runj_refuses(&json!({ "ip4Addr": [a, prefixed], "interface": "em0" }), "ip4Addr[1]");
}

/// The parameters of a jail that has these addresses.
fn new(addresses: &[Ipv4Addr]) -> Params {
    let mut params = Params::new().jailsys("ip4", Jailsys::New);
    params.extend(four(addresses));
    params
}

/// "If users give other bogus addresses it is their problem", the kernel says.
fn an_address_of_no_host() {
    for bogus in [Ipv4Addr::new(224, 0, 0, 1), Ipv4Addr::new(0, 0, 0, 1)] {
        kernel(four(&[bogus])).unwrap();
        runj_sends(&json!({ "ip4Addr": [bogus] }), &new(&[bogus]));
    }
    kernel(six(&["ff02::1"])).unwrap();
}

fn more_addresses_than_the_kernel_allows() {
    let list: Vec<_> = (1..=256).map(|n| Ipv4Addr::from(0xc612_0000 + n)).collect();
    kernel(four(&list[..255])).unwrap();
    kernel_refuses(four(&list), Errno::EINVAL, Some("too many IPv4 addresses"));
    let plan = runj_sends(&json!({ "ip4Addr": list }), &new(&list));
    runj_explains(&plan, "ip4Addr[0]");

    let list: Vec<_> = (1..=256).map(|n| format!("fd00::{n:x}")).collect();
    let listed: Vec<_> = list.iter().map(String::as_str).collect();
    kernel(six(&listed[..255])).unwrap();
    kernel_refuses(six(&listed), Errno::EINVAL, Some("too many IPv6 addresses"));
}

fn the_first_one_stays_first_and_the_rest_is_sorted() {
    let list = [5, 9, 2, 7].map(address);
    let made = kernel(four(&list)).unwrap();
    let sorted = [5, 2, 7, 9].map(address);
    assert_eq!(made.get(&[("ip4.addr", Kind::Ip4)]).unwrap(), [Value::Ip4(sorted.to_vec())]);
    runj_sends(&json!({ "ip4Addr": list }), &new(&list));

    let made = kernel(six(&["fd00::5", "fd00::9", "fd00::2"])).unwrap();
    let sorted: Vec<Ipv6Addr> =
        ["fd00::5", "fd00::2", "fd00::9"].map(|text| text.parse().unwrap()).to_vec();
    assert_eq!(made.get(&[("ip6.addr", Kind::Ip6)]).unwrap(), [Value::Ip6(sorted)]);
}

/// The address that a listener bound to `address` has in the jail, or the errno.
fn bound(made: &Made, address: impl Into<IpAddr>) -> String {
    inside(**made, || match TcpListener::bind((address.into(), 0)) {
        Ok(listener) => listener.local_addr().unwrap().ip().to_string(),
        Err(error) => Errno::from_raw(error.raw_os_error().unwrap()).to_string(),
    })
}

fn an_address_that_is_on_no_interface() {
    let made = kernel(four(&[address(1)])).unwrap();
    assert_eq!(bound(&made, address(1)), Errno::EADDRNOTAVAIL.to_string());
    runj_sends(&json!({ "ip4Addr": [address(1)] }), &new(&[address(1)]));
}

/// A jail whose addresses are on the host's loopback interface for as long as it lives.
struct Site {
    made: Made,
    done: Vec<Deed>,
}

impl Site {
    fn new(addresses: &[Ipv4Addr]) -> Self {
        let loopback = if cfg!(target_os = "freebsd") { "lo0" } else { "lo" };
        let plan: Plan =
            runj_sends(&json!({ "ip4Addr": addresses, "interface": loopback }), &new(addresses));
        let mut done = Vec::new();
        plan.prepare(&mut done).unwrap();
        Self { made: kernel(plan.params().clone()).unwrap(), done }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.done.iter().rev().for_each(|deed| deed.undo(None).unwrap());
    }
}

fn the_loopback_address_becomes_the_first_one() {
    let site = Site::new(&[address(2), address(1)]);
    assert_eq!(bound(&site.made, Ipv4Addr::LOCALHOST), address(2).to_string());
    assert_eq!(bound(&site.made, address(1)), address(1).to_string());

    // A connection goes there as well.
    let listener = TcpListener::bind((address(2), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(peer(&site.made, Ipv4Addr::LOCALHOST, port), address(2).to_string());
}

/// Whom a client in the jail is connected with that asked for `address`.
fn peer(made: &Made, address: Ipv4Addr, port: u16) -> String {
    inside(**made, || match TcpStream::connect((address, port)) {
        Ok(stream) => stream.peer_addr().unwrap().ip().to_string(),
        Err(error) => error.to_string(),
    })
}

fn the_loopback_address_stays_if_it_is_listed() {
    let site = Site::new(&[address(3), Ipv4Addr::LOCALHOST]);
    assert_eq!(bound(&site.made, Ipv4Addr::LOCALHOST), "127.0.0.1");
}

/// With several, it stays what it is, and the kernel looks at each connection.
fn any_address_becomes_the_only_one() {
    let one = Site::new(&[address(4)]);
    assert_eq!(bound(&one.made, Ipv4Addr::UNSPECIFIED), address(4).to_string());
    let two = Site::new(&[address(5), address(6)]);
    assert_eq!(bound(&two.made, Ipv4Addr::UNSPECIFIED), "0.0.0.0");
}

fn another_address_cannot_be_bound() {
    let one = Site::new(&[address(7)]);
    let _other = Site::new(&[address(8)]);
    assert_eq!(bound(&one.made, address(8)), Errno::EADDRNOTAVAIL.to_string());
}

fn connections_come_from_the_only_one() {
    let (site, other) = (Site::new(&[address(12)]), Site::new(&[address(13)]));
    let listener = TcpListener::bind((address(13), 0)).unwrap();
    let target = listener.local_addr().unwrap();
    let source = inside(*site.made, || {
        TcpStream::connect(target).unwrap().local_addr().unwrap().ip().to_string()
    });
    assert_eq!(source, address(12).to_string());
    assert_eq!(listener.accept().unwrap().1.ip(), address(12));
    drop(other);
}
