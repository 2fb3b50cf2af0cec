//! What of the network a container reaches, and what reaches it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use nix::ifaddrs::getifaddrs;
use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;
use crate::pair::{Pair, has_interface, loopback};

cases![
    inherit_reaches_the_host,
    inherit_is_reached_from_the_host,
    disable_has_no_ipv4,
    no_mode_has_no_ipv4,
    no_extension_file_has_no_ipv4,
    new_without_addresses_has_no_ipv4,
    new_with_an_address_has_that_one_alone,
    an_address_without_a_mode_means_new,
    ipv6_inherit_reaches_and_is_reached: Ip6,
    ipv6_is_off_unless_asked_for: Ip6,
    ipv6_new_with_an_address_has_that_one_alone: Ip6,
    the_oci_form_is_understood,
    ipv6_in_config_json_is_understood: Ip6,
    the_older_form_in_config_json_is_understood,
    annotations_are_understood,
    the_extension_overrides_config_json,
    an_interface_gets_the_addresses_for_as_long_as_the_container_is,
    addresses_of_the_extension_are_appended,
    vnet_interfaces_move_in_and_come_home,
    vnet_new_has_a_loopback_of_its_own_that_is_down,
    what_cannot_be_had_together_is_refused,
];

/// A server on the host that says something to one who connects.
fn with_server<T>(address: &str, test: impl FnOnce(&str) -> T) -> T {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"from the host").unwrap();
    });
    let result = test(&address);
    server.join().unwrap();
    result
}

#[track_caller]
fn assert_reaches_host(sandbox: &Sandbox<'_>, bundle: Bundle, address: &str) {
    with_server(address, |address| {
        let said = sandbox.run(&bundle.probe(["connect", address])).json();
        assert_eq!(said, json!({ "received": "from the host" }));
    });
}

#[track_caller]
fn assert_reached_from_host(sandbox: &Sandbox<'_>, bundle: Bundle, address: &str) {
    let container = sandbox.start(&bundle.probe(["serve", address]));
    let listening = container.wait_line(0)["listening"].as_str().unwrap().to_owned();
    let mut text = String::new();
    TcpStream::connect(listening).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "from inside");
    container.wait_stopped();
}

/// What comes of asking for a socket.
#[track_caller]
fn socket(sandbox: &Sandbox<'_>, bundle: Bundle, family: &str) -> Value {
    sandbox.run(&bundle.probe(["socket", family])).json()
}

#[track_caller]
fn assert_no_ipv4(sandbox: &Sandbox<'_>, bundle: Bundle) {
    assert_eq!(socket(sandbox, bundle, "inet"), json!({ "errno": "EPROTONOSUPPORT" }));
}

/// It may bind to the one address and not to the other.
#[track_caller]
fn assert_has_only(sandbox: &Sandbox<'_>, bundle: Bundle, [own, other]: [&str; 2]) {
    let container = sandbox.start(&bundle);
    let bind = |address: &str| {
        let command = Bundle::probe_command(["bind", address]);
        container.exec([], command).run().json()
    };
    let bound = bind(&format!("{own}:0"));
    let address = bound["bound"].as_str().unwrap_or_else(|| panic!("{bound}"));
    assert!(address.starts_with(&format!("{own}:")), "{address}");
    assert_eq!(bind(&format!("{other}:0")), json!({ "errno": "EADDRNOTAVAIL" }));
}

fn inherit_reaches_the_host(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().ipv4(json!({ "mode": "inherit" }));
    assert_reaches_host(sandbox, bundle, "127.0.0.1:0");
}

fn inherit_is_reached_from_the_host(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().ipv4(json!({ "mode": "inherit" }));
    assert_reached_from_host(sandbox, bundle, "127.0.0.1:0");
}

fn disable_has_no_ipv4(sandbox: &Sandbox<'_>) {
    assert_no_ipv4(sandbox, sandbox.bundle().ipv4(json!({ "mode": "disable" })));
}

fn no_mode_has_no_ipv4(sandbox: &Sandbox<'_>) {
    assert_no_ipv4(sandbox, sandbox.bundle().ipv4(json!({})));
}

fn no_extension_file_has_no_ipv4(sandbox: &Sandbox<'_>) {
    assert_no_ipv4(sandbox, sandbox.bundle());
}

fn new_without_addresses_has_no_ipv4(sandbox: &Sandbox<'_>) {
    assert_no_ipv4(sandbox, sandbox.bundle().ipv4(json!({ "mode": "new" })));
}

fn new_with_an_address_has_that_one_alone(sandbox: &Sandbox<'_>) {
    let bundle = || sandbox.bundle().ipv4(json!({ "mode": "new", "addr": ["127.0.0.1"] }));
    assert_reached_from_host(sandbox, bundle(), "127.0.0.1:0");
    assert_reaches_host(sandbox, bundle(), "127.0.0.1:0");
    assert_has_only(sandbox, bundle(), ["127.0.0.1", "192.0.2.1"]);
}

fn an_address_without_a_mode_means_new(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().ipv4(json!({ "addr": ["127.0.0.1"] }));
    assert_has_only(sandbox, bundle, ["127.0.0.1", "192.0.2.1"]);
}

fn ipv6(sandbox: &Sandbox<'_>, ipv6: Value) -> Bundle {
    sandbox.bundle().extension(json!({ "network": { "ipv6": ipv6 } }))
}

fn ipv6_inherit_reaches_and_is_reached(sandbox: &Sandbox<'_>) {
    let inherit = || ipv6(sandbox, json!({ "mode": "inherit" }));
    assert_reaches_host(sandbox, inherit(), "[::1]:0");
    assert_reached_from_host(sandbox, inherit(), "[::1]:0");
    // The one says nothing about the other.
    assert_no_ipv4(sandbox, inherit());
}

fn ipv6_is_off_unless_asked_for(sandbox: &Sandbox<'_>) {
    let refused = json!({ "errno": "EPROTONOSUPPORT" });
    let ipv4 = sandbox.bundle().ipv4(json!({ "mode": "inherit" }));
    for bundle in [ipv6(sandbox, json!({ "mode": "disable" })), ipv6(sandbox, json!({})), ipv4] {
        assert_eq!(socket(sandbox, bundle, "inet6"), refused);
    }
}

fn ipv6_new_with_an_address_has_that_one_alone(sandbox: &Sandbox<'_>) {
    let bundle = || ipv6(sandbox, json!({ "mode": "new", "addr": ["::1"] }));
    assert_reached_from_host(sandbox, bundle(), "[::1]:0");
    assert_reaches_host(sandbox, bundle(), "[::1]:0");
    assert_has_only(sandbox, bundle(), ["[::1]", "[2001:db8::1]"]);
}

fn ipv6_in_config_json_is_understood(sandbox: &Sandbox<'_>) {
    let annotation = |key: &str, value: &str| json!({ format!("org.freebsd.jail.{key}"): value });
    let own = ["[::1]", "[2001:db8::1]"];
    for (place, value, own) in [
        ("freebsd.jail.ip6", json!("inherit"), None),
        ("freebsd.network.ipv6.mode", json!("inherit"), None),
        ("annotations", annotation("ip6", "inherit"), None),
        ("freebsd.jail.ip6Addr", json!(["::1"]), Some(own)),
        ("freebsd.network.ipv6.addr", json!(["::1"]), Some(own)),
        ("annotations", annotation("ip6.addr", "::1"), Some(own)),
        ("annotations", annotation("ip6.add", "::1"), Some(own)),
    ] {
        let bundle = || sandbox.bundle().set(place, value.clone());
        assert_reaches_host(sandbox, bundle(), "[::1]:0");
        if let Some(own) = own {
            assert_has_only(sandbox, bundle(), own);
        }
    }
}

fn the_oci_form_is_understood(sandbox: &Sandbox<'_>) {
    let bundle = || sandbox.bundle().set("freebsd.jail.ip4", "inherit");
    assert_reaches_host(sandbox, bundle(), "127.0.0.1:0");
    assert_no_ipv4(sandbox, sandbox.bundle().set("freebsd.jail.ip4", "disable"));
    let bundle = sandbox.bundle().set("freebsd.jail.ip4Addr", json!(["127.0.0.1"]));
    assert_has_only(sandbox, bundle, ["127.0.0.1", "192.0.2.1"]);
}

fn the_older_form_in_config_json_is_understood(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("freebsd.network.ipv4.mode", "inherit");
    assert_reaches_host(sandbox, bundle, "127.0.0.1:0");
    let bundle = sandbox.bundle().set("freebsd.network.ipv4.addr", json!(["127.0.0.1"]));
    assert_has_only(sandbox, bundle, ["127.0.0.1", "192.0.2.1"]);
}

fn annotations_are_understood(sandbox: &Sandbox<'_>) {
    let annotated = |key: &str, value: &str| {
        sandbox.bundle().set("annotations", json!({ format!("org.freebsd.jail.{key}"): value }))
    };
    assert_reaches_host(sandbox, annotated("ip4", "inherit"), "127.0.0.1:0");
    let own = ["127.0.0.1", "192.0.2.1"];
    assert_has_only(sandbox, annotated("ip4.addr", "127.0.0.1"), own);
    let said = sandbox.run(&annotated("vnet", "new").probe(["interfaces"])).json();
    assert_eq!(said[loopback().as_ref()], json!({ "up": false, "addresses": [] }), "{said}");
}

fn the_extension_overrides_config_json(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("freebsd.jail.ip4", "inherit");
    assert_no_ipv4(sandbox, bundle.ipv4(json!({ "mode": "disable" })));
    let bundle = sandbox.bundle().set("freebsd.jail.ip4", "disable");
    assert_reaches_host(sandbox, bundle.ipv4(json!({ "mode": "inherit" })), "127.0.0.1:0");
    // A file that says nothing about it changes nothing.
    let bundle = sandbox.bundle().set("freebsd.jail.ip4", "inherit");
    assert_reaches_host(sandbox, bundle.ipv4(json!({})), "127.0.0.1:0");
}

/// Whether the host has the address on that interface.
fn has_address(interface: &str, address: &str) -> bool {
    getifaddrs().unwrap().any(|entry| {
        entry.interface_name == interface
            && entry
                .address
                .and_then(|present| Some(present.as_sockaddr_in()?.ip()))
                .is_some_and(|present| present.to_string() == address)
    })
}

fn an_interface_gets_the_addresses_for_as_long_as_the_container_is(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let bundle = sandbox
        .bundle()
        .set("freebsd.jail.interface", pair.a.as_ref())
        .set("freebsd.jail.ip4Addr", json!(["198.19.1.1"]));
    let container = sandbox.start(&bundle);
    assert!(has_address(pair.a.as_ref(), "198.19.1.1"));
    let command = Bundle::probe_command(["bind", "198.19.1.1:0"]);
    let bound = container.exec([], command).run().json();
    assert!(bound["bound"].is_string(), "{bound}");
    container.delete_by_force();
    assert!(!has_address(pair.a.as_ref(), "198.19.1.1"));
}

fn addresses_of_the_extension_are_appended(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let bundle = sandbox
        .bundle()
        .set("freebsd.jail.interface", pair.a.as_ref())
        .set("freebsd.jail.ip4Addr", json!(["198.19.2.1"]))
        .ipv4(json!({ "addr": ["198.19.2.2", "198.19.2.1"] }));
    let container = sandbox.start(&bundle);
    for address in ["198.19.2.1", "198.19.2.2"] {
        let command = Bundle::probe_command(["bind", &format!("{address}:0")]);
        let bound = container.exec([], command).run().json();
        assert!(bound["bound"].is_string(), "{address}: {bound}");
    }
}

fn vnet_interfaces_move_in_and_come_home(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let interfaces = json!([pair.b.as_ref()]);
    let network = json!({ "vnet": { "mode": "new", "interfaces": interfaces } });
    let jail = json!({ "vnet": "new", "vnetInterfaces": interfaces });
    for bundle in [
        sandbox.bundle().extension(json!({ "network": network })),
        sandbox.bundle().set("freebsd.network", network),
        sandbox.bundle().set("freebsd.jail", jail),
    ] {
        let container = sandbox.start(&bundle);
        assert!(!has_interface(&pair.b) && has_interface(&pair.a));
        let inside = container.exec([], Bundle::probe_command(["interfaces"])).run().json();
        assert!(inside[pair.b.as_ref()].is_object(), "{inside}");
        container.delete_by_force();
        assert!(has_interface(&pair.b));
    }
}

fn vnet_new_has_a_loopback_of_its_own_that_is_down(sandbox: &Sandbox<'_>) {
    let vnet = || json!({ "network": { "vnet": { "mode": "new" } } });
    let bundle = sandbox.bundle().extension(vnet()).probe(["interfaces"]);
    let said = sandbox.run(&bundle).json();
    let interfaces = said.as_object().unwrap();
    assert!(interfaces.contains_key(loopback().as_ref()), "{said}");
    // FreeBSD's pf, where it is in the kernel, gives every stack interfaces as well.
    for (name, interface) in interfaces {
        assert!(interface == &json!({ "up": false, "addresses": [] }), "{name} in {said}");
        assert!(name == loopback().as_ref() || name.starts_with("pf"), "{name} in {said}");
    }

    // The host's loopback is another one.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let bundle = sandbox.bundle().extension(vnet()).probe(["connect", &address]);
    let said = sandbox.run(&bundle).json();
    assert!(said["errno"].is_string(), "{said}");
}

fn what_cannot_be_had_together_is_refused(sandbox: &Sandbox<'_>) {
    let error = |network: Value| {
        let bundle = sandbox.bundle().extension(json!({ "network": network }));
        sandbox.refused(&bundle)
    };
    let message = error(json!({ "ipv4": { "mode": "inherit", "addr": ["127.0.0.1"] } }));
    assert!(message.starts_with("runj.ext.json: network.ipv4.mode: \"inherit\""), "{message}");
    assert!(message.contains("network.ipv4.addr[0]"), "{message}");
    let message = error(json!({ "ipv4": { "mode": "new" }, "vnet": { "mode": "new" } }));
    assert!(message.contains("network.vnet.mode"), "{message}");
    assert!(message.contains("network.ipv4.mode"), "{message}");
}
