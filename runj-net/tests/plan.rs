//! What is planned, and what is refused, for the configuration of a bundle.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use runj_jail::{Jailsys, Params, Value};
use runj_net::{Conflict, plan};
use runj_spec::{
    AddressFamily, Bundle, InterfaceName, IpAddress, IpMode, Jail, Origin, Sourced, VnetMode,
};

/// The jail of a bundle with this `freebsd.jail` in config.json and this `network` in runj.ext.json.
fn jail(freebsd_jail: &str, network: &str) -> Jail {
    let bundle = tempfile::tempdir().unwrap();
    let config = format!(
        r#"{{"ociVersion": "1.3.0", "process": {{"args": ["sh"]}}, "freebsd": {{"jail": {freebsd_jail}}}}}"#
    );
    std::fs::write(bundle.path().join("config.json"), config).unwrap();
    let extension = format!(r#"{{"network": {network}}}"#);
    std::fs::write(bundle.path().join("runj.ext.json"), extension).unwrap();
    Bundle::load(bundle.path()).unwrap().container().unwrap().jail
}

#[track_caller]
fn planned(freebsd_jail: &str, network: &str, params: &Params) {
    assert_eq!(plan(&jail(freebsd_jail, network)).unwrap().params(), params);
}

#[track_caller]
fn refused(freebsd_jail: &str, network: &str, message: &str) {
    let refused = plan(&jail(freebsd_jail, network)).unwrap_err();
    assert_eq!(refused.to_string(), message);
}

fn ip4(addresses: &[&str]) -> Value {
    Value::Ip4(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

#[test]
fn nothing_asked_for_is_nothing_sent() {
    planned("{}", "{}", &Params::new());
}

#[test]
fn modes_are_sent_as_they_are() {
    let both = |mode| Params::new().jailsys("ip4", mode).jailsys("ip6", mode);
    planned(r#"{"ip4": "inherit", "ip6": "inherit"}"#, "{}", &both(Jailsys::Inherit));
    planned(r#"{"ip4": "disable", "ip6": "disable"}"#, "{}", &both(Jailsys::Disable));
    planned(r#"{"ip4": "new", "ip6": "new"}"#, "{}", &both(Jailsys::New));
}

#[test]
fn addresses_mean_new() {
    let mut params = Params::new().jailsys("ip4", Jailsys::New);
    params.push("ip4.addr", ip4(&["192.0.2.7", "192.0.2.1"]));
    planned(r#"{"ip4Addr": ["192.0.2.7", "192.0.2.1"]}"#, "{}", &params);
    planned(
        r#"{"ip4Addr": ["192.0.2.7"]}"#,
        r#"{"ipv4": {"mode": "new", "addr": ["192.0.2.1"]}}"#,
        &params,
    );

    let mut params = Params::new().jailsys("ip6", Jailsys::New);
    params.push("ip6.addr", Value::Ip6(vec!["2001:db8::7".parse().unwrap()]));
    planned(r#"{"ip6Addr": ["2001:db8::7"]}"#, "{}", &params);
}

#[test]
fn inheriting_the_network_stack_is_not_sent() {
    planned(r#"{"vnet": "inherit"}"#, "{}", &Params::new());
    let inherit = Params::new().jailsys("ip4", Jailsys::Inherit);
    planned(r#"{"vnet": "inherit", "ip4": "inherit"}"#, "{}", &inherit);
}

#[test]
fn interfaces_mean_a_network_stack_of_its_own() {
    let vnet = Params::new().jailsys("vnet", Jailsys::New);
    planned(r#"{"vnet": "new"}"#, "{}", &vnet);
    planned(r#"{"vnetInterfaces": ["epair0b"]}"#, "{}", &vnet);
    planned("{}", r#"{"vnet": {"mode": "new", "interfaces": ["epair0b"]}}"#, &vnet);
}

#[test]
fn a_prefix_length_is_for_the_alias_alone() {
    let mut params = Params::new().jailsys("ip4", Jailsys::New);
    params.push("ip4.addr", ip4(&["192.0.2.7"]));
    planned(r#"{"ip4Addr": ["192.0.2.7/24"], "interface": "em0"}"#, "{}", &params);
}

#[test]
fn as_many_addresses_as_the_kernel_likes() {
    let addresses: Vec<String> =
        (0..300).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
    let listed = serde_json::to_string(&addresses).unwrap();
    let plan = plan(&jail(&format!(r#"{{"ip4Addr": {listed}}}"#), "{}")).unwrap();
    assert!(matches!(plan.params().get("ip4.addr"), Some(Value::Ip4(sent)) if sent.len() == 300));
}

#[test]
fn addresses_in_a_network_stack_of_its_own() {
    refused(
        r#"{"vnet": "new", "ip4": "inherit"}"#,
        "{}",
        "config.json: freebsd.jail.vnet: a network stack of the container's own is not allowed \
         together with config.json: freebsd.jail.ip4: expected vnet \"new\" or interfaces to move \
         in, or else modes and addresses of IPv4 and IPv6",
    );
    refused(
        r#"{"ip6": "disable", "ip6Addr": []}"#,
        r#"{"ipv4": {"addr": ["192.0.2.1"]}, "vnet": {"interfaces": ["epair0b"]}}"#,
        "runj.ext.json: network.vnet.interfaces[0]: a network stack of the container's own is not \
         allowed together with runj.ext.json: network.ipv4.addr[0] and config.json: \
         freebsd.jail.ip6: expected vnet \"new\" or interfaces to move in, or else modes and \
         addresses of IPv4 and IPv6",
    );
}

#[test]
fn an_interface_for_addresses_in_a_network_stack_of_its_own() {
    refused(
        r#"{"vnet": "new", "interface": "em0"}"#,
        "{}",
        "config.json: freebsd.jail.interface: \"em0\" is not allowed together with config.json: \
         freebsd.jail.vnet: expected no interface for addresses where the container has a network \
         stack of its own",
    );
}

#[test]
fn addresses_beside_a_mode_that_has_none() {
    refused(
        r#"{"ip4": "inherit"}"#,
        r#"{"ipv4": {"addr": ["192.0.2.1", "192.0.2.2"]}}"#,
        "config.json: freebsd.jail.ip4: \"inherit\" is not allowed together with runj.ext.json: \
         network.ipv4.addr[0] and runj.ext.json: network.ipv4.addr[1]: expected \"new\" or no mode \
         where addresses are listed",
    );
    refused(
        r#"{"ip6": "disable", "ip6Addr": ["2001:db8::1"]}"#,
        "{}",
        "config.json: freebsd.jail.ip6: \"disable\" is not allowed together with config.json: \
         freebsd.jail.ip6Addr[0]: expected \"new\" or no mode where addresses are listed",
    );
}

#[test]
fn interfaces_without_a_network_stack_of_its_own() {
    refused(
        r#"{"vnetInterfaces": ["epair0b", "epair1b"]}"#,
        r#"{"vnet": {"mode": "inherit"}}"#,
        "runj.ext.json: network.vnet.mode: \"inherit\" is not allowed together with config.json: \
         freebsd.jail.vnetInterfaces[0] and config.json: freebsd.jail.vnetInterfaces[1]: expected \
         \"new\" or no mode where interfaces are moved in",
    );
}

#[test]
fn a_prefix_length_without_an_interface() {
    refused(
        r#"{"ip4Addr": ["192.0.2.1/24"]}"#,
        "{}",
        "config.json: freebsd.jail.ip4Addr[0]: 192.0.2.1/24 is not allowed without an interface: \
         expected an address without prefix length, or the interface that is to carry the \
         addresses (freebsd.jail.interface)",
    );
}

/// runj-spec leaves no value twice, so these do not come from a bundle.
#[test]
fn twice_the_same() {
    let twice = Jail {
        ip4_addr: given("ip4Addr", &["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"]),
        interface: Some(Sourced::new("em0".parse().unwrap(), Origin::new("a", "interface"))),
        ..Jail::default()
    };
    assert_eq!(
        plan(&twice).unwrap_err().to_string(),
        "a: ip4Addr[2]: 192.0.2.1 is not allowed twice, see a: ip4Addr[0]: expected each address \
         once; a: ip4Addr[3]: 192.0.2.1 is not allowed twice, see a: ip4Addr[0]: expected each \
         address once"
    );

    let twice =
        Jail { vnet_interfaces: given("vnetInterfaces", &["em0", "em0"]), ..Jail::default() };
    assert_eq!(
        plan(&twice).unwrap_err().to_string(),
        "a: vnetInterfaces[1]: \"em0\" is not allowed twice, see a: vnetInterfaces[0]: expected \
         each interface once"
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let everything = jail(
        r#"{"vnet": "new", "ip4": "inherit", "ip4Addr": ["192.0.2.1"], "ip6": "disable",
            "ip6Addr": ["2001:db8::1/64"], "interface": "em0"}"#,
        "{}",
    );
    let refused = plan(&everything).unwrap_err();
    assert!(matches!(
        refused.conflicts(),
        [
            Conflict::AddressesBesideMode { .. },
            Conflict::AddressesBesideMode { .. },
            Conflict::AddressesInVnet { .. },
            Conflict::AliasesInVnet { .. },
        ]
    ));
    let lines: Vec<String> = refused.conflicts().iter().map(Conflict::to_string).collect();
    assert_eq!(refused.to_string(), lines.join("; "));
    assert!(!refused.to_string().contains('\n'));
}

#[test]
fn a_long_list_of_places_is_cut() {
    let addresses: Vec<String> = (0..10).map(|n| format!("192.0.2.{n}")).collect();
    let listed = serde_json::to_string(&addresses).unwrap();
    refused(
        &format!(r#"{{"ip4": "disable", "ip4Addr": {listed}}}"#),
        "{}",
        "config.json: freebsd.jail.ip4: \"disable\" is not allowed together with config.json: \
         freebsd.jail.ip4Addr[0], config.json: freebsd.jail.ip4Addr[1], config.json: \
         freebsd.jail.ip4Addr[2], config.json: freebsd.jail.ip4Addr[3], config.json: \
         freebsd.jail.ip4Addr[4], config.json: freebsd.jail.ip4Addr[5] and 4 more: expected \
         \"new\" or no mode where addresses are listed",
    );
}

fn given<T: std::str::FromStr<Err: std::fmt::Debug>>(
    key: &str,
    values: &[&str],
) -> Vec<Sourced<T>> {
    let sourced = |(index, value): (usize, &&str)| {
        Sourced::new(value.parse().unwrap(), Origin::new("a", format!("{key}[{index}]")))
    };
    values.iter().enumerate().map(sourced).collect()
}

/// Any jail, of few enough values that many of them clash.
fn jails() -> impl Strategy<Value = Jail> {
    fn mode() -> impl Strategy<Value = Option<IpMode>> {
        option::of(prop_oneof![Just(IpMode::Inherit), Just(IpMode::New), Just(IpMode::Disable)])
    }
    fn sourced<T>(key: &'static str) -> impl Fn(T) -> Sourced<T> {
        move |value| Sourced::new(value, Origin::new("a", key))
    }
    let prefix = || option::weighted(0.1, 0..=32u8);
    let address4 = (1..20u8, prefix()).prop_map(|(host, prefix)| match prefix {
        Some(prefix) => format!("10.0.0.{host}/{prefix}"),
        None => format!("10.0.0.{host}"),
    });
    let address6 = (1..20u8, prefix()).prop_map(|(host, prefix)| match prefix {
        Some(prefix) => format!("fd00::{host}/{prefix}"),
        None => format!("fd00::{host}"),
    });
    fn list<T: std::str::FromStr<Err: std::fmt::Debug>>(
        key: &str,
        values: &[String],
    ) -> Vec<Sourced<T>> {
        given(key, &values.iter().map(String::as_str).collect::<Vec<_>>())
    }
    (
        (mode(), vec(address4, 0..4)),
        (mode(), vec(address6, 0..4)),
        option::of(prop_oneof![Just(VnetMode::Inherit), Just(VnetMode::New)]),
        vec("e[0-9]", 0..3),
        option::of("e[0-9]"),
    )
        .prop_map(|((ip4, ip4_addr), (ip6, ip6_addr), vnet, interfaces, interface)| Jail {
            ip4: ip4.map(sourced("ip4")),
            ip4_addr: list("ip4Addr", &ip4_addr),
            ip6: ip6.map(sourced("ip6")),
            ip6_addr: list("ip6Addr", &ip6_addr),
            vnet: vnet.map(sourced("vnet")),
            vnet_interfaces: list("vnetInterfaces", &interfaces),
            interface: interface
                .map(|name| Sourced::new(name.parse().unwrap(), Origin::new("a", "interface"))),
            ..Jail::default()
        })
}

fn plain<A: AddressFamily>(list: &[Sourced<IpAddress<A>>]) -> Vec<A> {
    list.iter().map(|address| address.value.address()).collect()
}

fn distinct<T: Ord>(mut values: Vec<T>) -> bool {
    values.sort();
    values.is_sorted_by(|a, b| a < b)
}

/// What kern_jail_set and ifconfig(8) take, and what leaves nothing out.
fn possible(jail: &Jail) -> bool {
    let mode = |mode: &Option<Sourced<IpMode>>| mode.as_ref().map(|mode| mode.value);
    let vnet = jail.vnet.as_ref().map(|vnet| vnet.value);
    let own_stack = vnet == Some(VnetMode::New) || !jail.vnet_interfaces.is_empty();
    let restricted = jail.ip4.is_some()
        || jail.ip6.is_some()
        || !jail.ip4_addr.is_empty()
        || !jail.ip6_addr.is_empty();
    let addresses_fit =
        |mode: Option<IpMode>, none: bool| none || matches!(mode, None | Some(IpMode::New));
    let names: Vec<&InterfaceName> = jail.vnet_interfaces.iter().map(|name| &name.value).collect();
    let prefixed = jail.ip4_addr.iter().any(|address| address.value.prefix().is_some())
        || jail.ip6_addr.iter().any(|address| address.value.prefix().is_some());

    addresses_fit(mode(&jail.ip4), jail.ip4_addr.is_empty())
        && addresses_fit(mode(&jail.ip6), jail.ip6_addr.is_empty())
        && distinct(plain(&jail.ip4_addr))
        && distinct(plain(&jail.ip6_addr))
        && distinct(names)
        && !(own_stack && (restricted || jail.interface.is_some()))
        && (vnet != Some(VnetMode::Inherit) || jail.vnet_interfaces.is_empty())
        && (!prefixed || jail.interface.is_some())
}

proptest! {
    #[test]
    fn what_is_possible_is_planned_and_nothing_else(jail in jails()) {
        prop_assert_eq!(plan(&jail).is_ok(), possible(&jail));
    }

    #[test]
    fn every_address_is_sent_in_order(jail in jails()) {
        let Ok(plan) = plan(&jail) else { return Ok(()) };
        let sent = |name: &str| match plan.params().get(name) {
            Some(Value::Ip4(list)) => list.iter().copied().map(IpAddr::from).collect(),
            Some(Value::Ip6(list)) => list.iter().copied().map(IpAddr::from).collect(),
            _ => Vec::new(),
        };
        let four: Vec<IpAddr> = plain::<Ipv4Addr>(&jail.ip4_addr).into_iter().map(IpAddr::from).collect();
        let six: Vec<IpAddr> = plain::<Ipv6Addr>(&jail.ip6_addr).into_iter().map(IpAddr::from).collect();
        prop_assert_eq!(sent("ip4.addr"), four);
        prop_assert_eq!(sent("ip6.addr"), six);
    }

    #[test]
    fn a_network_stack_goes_alone(jail in jails()) {
        let Ok(plan) = plan(&jail) else { return Ok(()) };
        match plan.params().get("vnet") {
            Some(vnet) => {
                prop_assert_eq!(vnet, &Value::Jailsys(Jailsys::New));
                prop_assert_eq!(plan.params().iter().count(), 1);
            }
            None => prop_assert!(jail.vnet_interfaces.is_empty()),
        }
    }

    #[test]
    fn a_refusal_is_one_line_that_names_its_places(jail in jails()) {
        let Err(refused) = plan(&jail) else { return Ok(()) };
        prop_assert!(!refused.conflicts().is_empty());
        for conflict in refused.conflicts() {
            let line = conflict.to_string();
            prop_assert!(line.starts_with("a: ") && !line.contains('\n'), "{}", line);
            prop_assert!(line.contains("expected "), "{}", line);
        }
    }
}
