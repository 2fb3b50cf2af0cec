//! `ip4`, `ip6`, `vnet` and `host`.

use libc::{AF_INET, AF_INET6};
use nix::errno::Errno;
use runj_jail::{Jailsys, Kind, Params, Value};
use runj_spec::{HostMode, Origin, Sourced};
use serde_json::json;

use crate::ask::{address, container, four, kernel, kernel_refuses, runj_refuses, runj_sends, six};
use crate::cases;
use crate::inside::socket;

cases![
    no_mode_means_no_addresses,
    disable_means_no_addresses,
    new_without_addresses_means_none,
    inherit_means_the_hosts,
    inherit_beside_addresses_is_dropped,
    disable_beside_addresses_is_dropped,
    an_empty_list_means_disable,
    a_restricted_mode_is_told_as_disable,
    vnet_new_beside_ip4_or_ip6,
    vnet_new_beside_addresses,
    vnet_inherit_beside_ip4_or_ip6,
    vnet_inherit_beside_addresses,
    vnet_inherit_alone_means_no_addresses,
    vnet_cannot_be_disabled,
    host_cannot_be_disabled,
    a_host_name_beside_host_inherit_becomes_new,
];

const RESTRICTED: &str = "vnet jails cannot have IP address restrictions";
const FAMILIES: [(&str, i32); 2] = [("ip4", AF_INET), ("ip6", AF_INET6)];
const NO_PROTOCOL: Result<(), Errno> = Err(Errno::EPROTONOSUPPORT);

fn no_mode_means_no_addresses() {
    let made = kernel(Params::new()).unwrap();
    for (name, family) in FAMILIES {
        assert_eq!(made.mode(name), Jailsys::Disable);
        assert_eq!(socket(*made, family), NO_PROTOCOL);
    }
    runj_sends(&json!({}), &Params::new());
}

fn disable_means_no_addresses() {
    for (name, family) in FAMILIES {
        let disable = Params::new().jailsys(name, Jailsys::Disable);
        let made = kernel(disable.clone()).unwrap();
        assert_eq!(made.mode(name), Jailsys::Disable);
        assert_eq!(socket(*made, family), NO_PROTOCOL);
        runj_sends(&json!({ name: "disable" }), &disable);
    }
}

fn new_without_addresses_means_none() {
    for (name, family) in FAMILIES {
        let new = Params::new().jailsys(name, Jailsys::New);
        let made = kernel(new.clone()).unwrap();
        assert_eq!(made.mode(name), Jailsys::Disable);
        assert_eq!(socket(*made, family), NO_PROTOCOL);
        runj_sends(&json!({ name: "new" }), &new);
    }
}

fn inherit_means_the_hosts() {
    for (name, _) in FAMILIES {
        let inherit = Params::new().jailsys(name, Jailsys::Inherit);
        let made = kernel(inherit.clone()).unwrap();
        assert_eq!(made.mode(name), Jailsys::Inherit);
        runj_sends(&json!({ name: "inherit" }), &inherit);
    }
    let made = kernel(Params::new().jailsys("ip4", Jailsys::Inherit)).unwrap();
    assert_eq!(socket(*made, AF_INET), Ok(()));
}

/// Stricter than the kernel, which follows one of the two wishes and drops the other without a word.
fn inherit_beside_addresses_is_dropped() {
    beside_addresses(Jailsys::Inherit, "inherit");
}

/// Stricter than the kernel, for the same reason.
fn disable_beside_addresses_is_dropped() {
    beside_addresses(Jailsys::Disable, "disable");
}

fn beside_addresses(mode: Jailsys, word: &str) {
    let made = kernel(four(&[address(1)]).jailsys("ip4", mode)).unwrap();
    assert_eq!(made.get(&[("ip4.addr", Kind::Ip4)]).unwrap(), [Value::Ip4(vec![address(1)])]);
    assert_eq!(socket(*made, AF_INET), Ok(()));
    runj_refuses(&json!({ "ip4": word, "ip4Addr": [address(1)] }), "ip4");

    let made = kernel(six(&["fd00::1"]).jailsys("ip6", mode)).unwrap();
    let list = vec!["fd00::1".parse().unwrap()];
    assert_eq!(made.get(&[("ip6.addr", Kind::Ip6)]).unwrap(), [Value::Ip6(list)]);
    runj_refuses(&json!({ "ip6": word, "ip6Addr": ["fd00::1"] }), "ip6");
}

/// Not so in a bundle: where a list is merged from several places, an empty one is no list.
fn an_empty_list_means_disable() {
    let both = four(&[]).jailsys("ip4", Jailsys::Inherit);
    assert_eq!(kernel(both).unwrap().mode("ip4"), Jailsys::Disable);
    let both = six(&[]).jailsys("ip6", Jailsys::Inherit);
    assert_eq!(kernel(both).unwrap().mode("ip6"), Jailsys::Disable);
    for name in ["ip4", "ip6"] {
        let inherit = Params::new().jailsys(name, Jailsys::Inherit);
        let list = format!("{name}Addr");
        runj_sends(&json!({ name: "inherit", list: [] }), &inherit);
    }
}

/// What jail_get(2) says of a jail with addresses: it cannot tell `new` from `disable`.
fn a_restricted_mode_is_told_as_disable() {
    let new = four(&[address(1)]).jailsys("ip4", Jailsys::New);
    assert_eq!(kernel(new).unwrap().mode("ip4"), Jailsys::Disable);
    let new = six(&["fd00::1"]).jailsys("ip6", Jailsys::New);
    assert_eq!(kernel(new).unwrap().mode("ip6"), Jailsys::Disable);
}

fn vnet_new_beside_ip4_or_ip6() {
    for (name, _) in FAMILIES {
        for (mode, word) in MODES {
            let both = Params::new().jailsys("vnet", Jailsys::New).jailsys(name, mode);
            kernel_refuses(both, Errno::EINVAL, Some(RESTRICTED));
            runj_refuses(&json!({ "vnet": "new", name: word }), "vnet");
        }
    }
}

const MODES: [(Jailsys, &str); 3] =
    [(Jailsys::New, "new"), (Jailsys::Inherit, "inherit"), (Jailsys::Disable, "disable")];

fn vnet_new_beside_addresses() {
    for both in [four(&[address(1)]), six(&["fd00::1"])] {
        let both = both.jailsys("vnet", Jailsys::New);
        kernel_refuses(both, Errno::EINVAL, Some(RESTRICTED));
    }
    runj_refuses(&json!({ "vnet": "new", "ip4Addr": [address(1)] }), "vnet");
    runj_refuses(&json!({ "vnet": "new", "ip6Addr": ["fd00::1"] }), "vnet");
}

/// The kernel refuses what says nothing but the default, so runj does not say it.
fn vnet_inherit_beside_ip4_or_ip6() {
    for (name, _) in FAMILIES {
        for (mode, word) in MODES {
            let alone = Params::new().jailsys(name, mode);
            let both = alone.clone().jailsys("vnet", Jailsys::Inherit);
            kernel_refuses(both, Errno::EINVAL, Some(RESTRICTED));
            runj_sends(&json!({ "vnet": "inherit", name: word }), &alone);
            kernel(alone).unwrap();
        }
    }
}

fn vnet_inherit_beside_addresses() {
    let both = four(&[address(1)]).jailsys("vnet", Jailsys::Inherit);
    kernel_refuses(both, Errno::EINVAL, Some(RESTRICTED));
    let mut alone = Params::new().jailsys("ip4", Jailsys::New);
    alone.extend(four(&[address(1)]));
    runj_sends(&json!({ "vnet": "inherit", "ip4Addr": [address(1)] }), &alone);
    kernel(alone).unwrap();
}

fn vnet_inherit_alone_means_no_addresses() {
    let made = kernel(Params::new().jailsys("vnet", Jailsys::Inherit)).unwrap();
    for (name, family) in FAMILIES {
        assert_eq!(made.mode(name), Jailsys::Disable);
        assert_eq!(socket(*made, family), NO_PROTOCOL);
    }
    runj_sends(&json!({ "vnet": "inherit" }), &Params::new());
}

fn vnet_cannot_be_disabled() {
    let disable = Params::new().jailsys("vnet", Jailsys::Disable);
    kernel_refuses(disable, Errno::EINVAL, None);
    runj_refuses(&json!({ "vnet": "disable" }), "vnet");
}

fn host_cannot_be_disabled() {
    let disable = Params::new().jailsys("host", Jailsys::Disable);
    kernel_refuses(disable, Errno::EINVAL, None);
    runj_refuses(&json!({ "host": "disable" }), "host");
}

/// Refused by `runj create`, which has both (`parameters::an_inherited_host_has_no_name_of_its_own`
/// among the tests of containers).
fn a_host_name_beside_host_inherit_becomes_new() {
    for name in ["host.hostname", "host.domainname"] {
        let both = Params::new().jailsys("host", Jailsys::Inherit).string(name, "x.example");
        assert_eq!(kernel(both).unwrap().mode("host"), Jailsys::New);
    }
    let host = container(&json!({ "host": "inherit" })).unwrap().jail.host;
    let origin = Origin::new("config.json", "freebsd.jail.host");
    assert_eq!(host, Some(Sourced::new(HostMode::Inherit, origin)));
}
