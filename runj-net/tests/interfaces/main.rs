//! Interfaces and jails of the running kernel. This takes root; the harness reports the cases as
//! ignored to anybody else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod inside;
mod pair;
#[cfg_attr(target_os = "freebsd", path = "pair_freebsd.rs")]
#[cfg_attr(target_os = "linux", path = "pair_linux.rs")]
mod pair_sys;
mod site;

use std::net::{IpAddr, UdpSocket};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrIn6;
use nix::unistd::geteuid;
use runj_jail::Errno;
use runj_net::{Deed, Error};
use runj_spec::InterfaceName;

use crate::inside::has_interface_inside;
use crate::pair::{Pair, has_interface, loopback};
use crate::site::{Full, Site, addresses_on, moving};

fn main() -> ExitCode {
    let cases: [(&str, fn()); 14] = [
        ("an_alias_comes_and_goes", an_alias_comes_and_goes),
        ("an_alias_that_was_there_stays", an_alias_that_was_there_stays),
        ("an_alias_has_its_prefix_length", an_alias_has_its_prefix_length),
        ("an_ipv6_alias_can_be_used_at_once", an_ipv6_alias_can_be_used_at_once),
        ("an_ipv6_alias_that_is_taken", an_ipv6_alias_that_is_taken),
        ("an_alias_on_no_interface", an_alias_on_no_interface),
        ("an_alias_undone_without_its_interface", an_alias_undone_without_its_interface),
        ("an_interface_moves_in_and_home", an_interface_moves_in_and_home),
        ("an_interface_that_is_not_there", an_interface_that_is_not_there),
        ("an_interface_whose_name_is_taken", an_interface_whose_name_is_taken),
        (
            "what_was_done_before_a_failure_is_in_the_journal",
            what_was_done_before_a_failure_is_in_the_journal,
        ),
        ("an_interface_in_a_jail_that_is_gone", an_interface_in_a_jail_that_is_gone),
        ("nothing_is_done_that_is_not_recorded", nothing_is_done_that_is_not_recorded),
        ("addresses_that_clash_are_explained", addresses_that_clash_are_explained),
    ];
    let root = geteuid().is_root();
    let trials = cases
        .into_iter()
        .map(|(name, case)| {
            Trial::test(name, move || {
                case();
                Ok(())
            })
            .with_ignored_flag(!root)
        })
        .collect();
    if !root {
        eprintln!("these need root");
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Whether that interface of the host has the address.
fn has_address(interface: &InterfaceName, address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    getifaddrs().unwrap().any(|entry| {
        let Some(present) = entry.address else { return false };
        let ip4 = present.as_sockaddr_in().map(|present| IpAddr::from(present.ip()));
        let ip6 = present.as_sockaddr_in6().map(|present| IpAddr::from(present.ip()));
        entry.interface_name == interface.as_ref() && ip4.or(ip6) == Some(address)
    })
}

fn an_alias_comes_and_goes() {
    let pair = Pair::new();
    let plan = addresses_on(&pair.a, &["198.18.1.1"], &["fd18:1::1"]);
    let mut done = Vec::new();

    plan.prepare(&mut done).unwrap();
    assert_eq!(done.len(), 2);
    for address in ["198.18.1.1", "fd18:1::1"] {
        assert!(has_address(&pair.a, address), "{address}");
    }

    // The second time, there is nothing left to undo.
    for _ in 0..2 {
        done.iter().rev().for_each(|deed| deed.undo(None).unwrap());
        for address in ["198.18.1.1", "fd18:1::1"] {
            assert!(!has_address(&pair.a, address), "{address}");
        }
    }
}

fn an_alias_that_was_there_stays() {
    let pair = Pair::new();
    let plan = addresses_on(&pair.a, &["198.18.2.1"], &["fd18:2::1"]);
    let (mut before, mut done) = (Vec::new(), Vec::new());
    plan.prepare(&mut before).unwrap();

    let plan = addresses_on(&pair.a, &["198.18.2.1", "198.18.2.2"], &["fd18:2::1"]);
    plan.prepare(&mut done).unwrap();
    let [Deed::Alias { address, prefix: 32, .. }] = &done[..] else { panic!("{done:?}") };
    assert_eq!(address.to_string(), "198.18.2.2");

    done[0].undo(None).unwrap();
    assert!(has_address(&pair.a, "198.18.2.1"));
    assert!(has_address(&pair.a, "fd18:2::1"));
    assert!(!has_address(&pair.a, "198.18.2.2"));
}

fn an_alias_has_its_prefix_length() {
    let pair = Pair::new();
    let plan = addresses_on(&pair.a, &[], &["fd18:3::1", "fd18:3:0:1::1/64"]);
    plan.prepare(&mut Vec::new()).unwrap();
    let masks: Vec<(String, String)> = getifaddrs()
        .unwrap()
        .filter(|entry| entry.interface_name == pair.a.as_ref())
        .filter_map(|entry| {
            let ip6 = |address: &SockaddrIn6| address.ip().to_string();
            Some((ip6(entry.address?.as_sockaddr_in6()?), ip6(entry.netmask?.as_sockaddr_in6()?)))
        })
        .filter(|(address, _)| address.starts_with("fd18:3:"))
        .collect();
    let mask = |address: &str| {
        let found = masks.iter().find(|(present, _)| present == address);
        found.unwrap_or_else(|| panic!("{masks:?}")).1.as_str()
    };
    assert_eq!(mask("fd18:3::1"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_eq!(mask("fd18:3:0:1::1"), "ffff:ffff:ffff:ffff::");
}

fn an_ipv6_alias_can_be_used_at_once() {
    let pair = Pair::new();
    // FreeBSD does not ask the neighbours about the first address of an interface.
    addresses_on(&pair.a, &[], &["fd18:4::2/64"]).prepare(&mut Vec::new()).unwrap();
    let site = Site::create(&addresses_on(&pair.a, &[], &["fd18:4::1/64"]));
    UdpSocket::bind("[fd18:4::1]:0").unwrap();
    drop(site);
}

fn an_ipv6_alias_that_is_taken() {
    let pair = Pair::new();
    let neighbour = Site::create(&addresses_on(&pair.a, &[], &["fd18:9::1/64"]));
    let plan = addresses_on(&pair.b, &[], &["fd18:9::1/64"]);
    let mut done = Vec::new();
    let result = plan.prepare(&mut done).and_then(|()| plan.furnish(neighbour.jail, &mut done));
    // FreeBSD knows its other interfaces; Linux asks the link, where the other end answers.
    let error = match result.unwrap_err() {
        error @ Error::AddressTaken { .. } if cfg!(target_os = "freebsd") => error,
        error @ Error::Duplicate { .. } if cfg!(target_os = "linux") => error,
        error => panic!("{error}"),
    };
    let message = error.to_string();
    assert!(message.starts_with("config.json: freebsd.jail.ip6Addr[0]: fd18:9::1"), "{message}");
    done.iter().for_each(|deed| deed.undo(None).unwrap());
    assert!(has_address(&pair.a, "fd18:9::1"));
}

fn an_alias_on_no_interface() {
    let plan = addresses_on(&"nowhere0".parse().unwrap(), &["198.18.5.1"], &[]);
    let mut done = Vec::new();
    let error = plan.prepare(&mut done).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "config.json: freebsd.jail.interface: \"nowhere0\" is not allowed: expected an \
             interface of the host ({})",
            Errno::ENXIO
        )
    );
    assert_eq!(error.errno(), Some(Errno::ENXIO));
    done.iter().for_each(|deed| deed.undo(None).unwrap());
}

fn an_alias_undone_without_its_interface() {
    let pair = Pair::new();
    let mut done = Vec::new();
    addresses_on(&pair.a, &["198.18.6.1"], &["fd18:6::1"]).prepare(&mut done).unwrap();
    drop(pair);
    done.iter().for_each(|deed| deed.undo(None).unwrap());
}

fn an_interface_moves_in_and_home() {
    let pair = Pair::new();
    let mut site = Site::create(&moving(&[&pair.b]));
    assert!(has_interface(&pair.a));
    assert!(!has_interface(&pair.b));
    assert!(has_interface_inside(site.jail, &pair.b));
    assert!(!has_interface_inside(site.jail, &pair.a));

    for _ in 0..2 {
        site.undo();
        assert!(has_interface(&pair.b));
        assert!(!has_interface_inside(site.jail, &pair.b));
    }
}

fn an_interface_that_is_not_there() {
    let plan = moving(&[&"nowhere0".parse().unwrap()]);
    let mut site = Site::bare(&plan);
    let error = plan.furnish(site.jail, &mut site.done).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "runj.ext.json: network.vnet.interfaces[0]: \"nowhere0\" is not allowed: expected an \
             interface of the host ({})",
            Errno::ENXIO
        )
    );
    site.undo();
}

fn an_interface_whose_name_is_taken() {
    let loopback = loopback();
    let plan = moving(&[&loopback]);
    let mut site = Site::bare(&plan);
    let error = plan.furnish(site.jail, &mut site.done).unwrap_err();
    assert!(matches!(error, Error::NameTaken { .. } | Error::MoveIn { .. }), "{error}");
    assert!(
        error.to_string().starts_with("runj.ext.json: network.vnet.interfaces[0]: "),
        "{error}"
    );

    // The jail's own loopback must not come to the host in its place.
    site.undo();
    assert!(has_interface(&loopback));
    assert!(has_interface_inside(site.jail, &loopback));
}

fn what_was_done_before_a_failure_is_in_the_journal() {
    let pair = Pair::new();
    let plan = moving(&[&pair.b, &"nowhere0".parse().unwrap()]);
    let mut site = Site::bare(&plan);
    plan.furnish(site.jail, &mut site.done).unwrap_err();
    assert!(!has_interface(&pair.b));
    site.undo();
    assert!(has_interface(&pair.b));
}

fn an_interface_in_a_jail_that_is_gone() {
    let pair = Pair::new();
    let site = Site::create(&moving(&[&pair.b]));
    let (jail, done) = (site.jail, site.done.clone());
    site.remove();
    for jail in [None, Some(jail)] {
        done.iter().for_each(|deed| deed.undo(jail).unwrap());
    }
    // The development host has no home for it to return to.
    assert_eq!(has_interface(&pair.b), cfg!(target_os = "freebsd"));
}

fn nothing_is_done_that_is_not_recorded() {
    let pair = Pair::new();
    let error = addresses_on(&pair.a, &["198.18.7.1"], &[]).prepare(&mut Full).unwrap_err();
    assert!(matches!(error, Error::Journal { .. }), "{error}");
    assert!(!has_address(&pair.a, "198.18.7.1"));

    let plan = moving(&[&pair.b]);
    let site = Site::bare(&plan);
    plan.furnish(site.jail, &mut Full).unwrap_err();
    assert!(has_interface(&pair.b));
    drop(site);
}

fn addresses_that_clash_are_explained() {
    let pair = Pair::new();
    let first = Site::create(&addresses_on(&pair.a, &["198.18.8.1", "198.18.8.2"], &[]));
    let second = addresses_on(&pair.a, &["198.18.8.2"], &[]);
    let error = site::create_jail(&second).unwrap_err();
    let explanation = second.explain(&error).unwrap_or_else(|| panic!("{error}")).to_string();
    assert!(
        explanation
            .starts_with("config.json: freebsd.jail.ip4Addr[0]: another jail has an address"),
        "{explanation}"
    );
    drop(first);
}
