//! The kernel's refusals in terms of the configuration.

#![allow(clippy::unwrap_used, clippy::panic)]

use runj_jail::{Errno, Error};
use runj_net::{Plan, plan};
use runj_spec::{Jail, Origin, Sourced};

fn refusal(errno: Errno, message: Option<&str>) -> Error {
    Error::Refused { call: "jail_set(2)", errno, message: message.map(str::to_owned) }
}

fn explained(plan: &Plan, errno: Errno, message: &str) -> Option<String> {
    plan.explain(&refusal(errno, Some(message))).map(|explanation| explanation.to_string())
}

fn restricted() -> Plan {
    let at = |path: &str| Origin::new("config.json", path);
    plan(&Jail {
        ip4_addr: vec![
            Sourced::new("192.0.2.1".parse().unwrap(), at("freebsd.jail.ip4Addr[0]")),
            Sourced::new("192.0.2.2".parse().unwrap(), at("freebsd.jail.ip4Addr[1]")),
        ],
        ip6: Some(Sourced::new("inherit".parse().unwrap(), at("freebsd.jail.ip6"))),
        ..Jail::default()
    })
    .unwrap()
}

fn vnet() -> Plan {
    let interface = Sourced::new(
        "epair0b".parse().unwrap(),
        Origin::new("runj.ext.json", "network.vnet.interfaces[0]"),
    );
    plan(&Jail { vnet_interfaces: vec![interface], ..Jail::default() }).unwrap()
}

#[test]
fn addresses_that_another_jail_has() {
    assert_eq!(
        explained(&restricted(), Errno::EADDRINUSE, "IPv4 addresses clash").unwrap(),
        "config.json: freebsd.jail.ip4Addr[0] and config.json: freebsd.jail.ip4Addr[1]: another \
         jail has an address of these: expected addresses of no other jail, or one address only, \
         shared with jails that have no other (EADDRINUSE: Address already in use)"
    );
    assert_eq!(explained(&restricted(), Errno::EADDRINUSE, "IPv6 addresses clash"), None);
}

#[test]
fn too_many_addresses() {
    assert_eq!(
        explained(&restricted(), Errno::EINVAL, "too many IPv4 addresses").unwrap(),
        "config.json: freebsd.jail.ip4Addr[0] and config.json: freebsd.jail.ip4Addr[1]: 2 \
         addresses are more than the kernel allows: expected at most what sysctl \
         security.jail.jail_max_af_ips says (EINVAL: Invalid argument)"
    );
}

#[test]
fn addresses_and_a_network_stack() {
    let text = "vnet jails cannot have IP address restrictions";
    assert_eq!(
        explained(&restricted(), Errno::EINVAL, text).unwrap(),
        "config.json: freebsd.jail.ip4Addr[0], config.json: freebsd.jail.ip4Addr[1] and \
         config.json: freebsd.jail.ip6: a jail with a network stack of its own takes no modes or \
         addresses (EINVAL: Invalid argument)"
    );
}

#[test]
fn what_the_kernel_was_built_without() {
    assert_eq!(
        explained(&vnet(), Errno::EINVAL, "unknown parameter: vnet").unwrap(),
        "runj.ext.json: network.vnet.interfaces[0]: this kernel is built without separate network \
         stacks, it has no jail parameter vnet (EINVAL: Invalid argument)"
    );
    assert_eq!(
        explained(&restricted(), Errno::EINVAL, "unknown parameter: ip6").unwrap(),
        "config.json: freebsd.jail.ip6: this kernel is built without IPv6, it has no jail \
         parameter ip6 (EINVAL: Invalid argument)"
    );
    assert_eq!(explained(&vnet(), Errno::EINVAL, "unknown parameter: allow.vmm"), None);
}

#[test]
fn addresses_that_the_parent_does_not_have() {
    let explanation = restricted().explain(&refusal(Errno::EPERM, None)).unwrap();
    assert_eq!(explanation.errno(), Errno::EPERM);
    assert_eq!(explanation.places().len(), 2);
    assert!(explanation.to_string().contains("inside another one"));
    assert_eq!(vnet().explain(&refusal(Errno::EPERM, None)), None);
}

#[test]
fn what_is_not_about_the_network() {
    for (errno, message) in [
        (Errno::EINVAL, Some("path cannot be changed after creation")),
        (Errno::EPERM, Some("prison limit exceeded")),
        (Errno::EINVAL, None),
        (Errno::ENOENT, None),
    ] {
        assert_eq!(restricted().explain(&refusal(errno, message)), None, "{errno} {message:?}");
    }
}
