//! Containers that used TCP. On FreeBSD a connection that the container closed stays in `TIME_WAIT`
//! for a minute, and so long the removed jail is *dying* and holds its root.

use std::io::Read as _;
use std::net::TcpStream;

use runj_jail::{Jail, Jid};
use runj_tests::{Bundle, Container, Sandbox};
use serde_json::json;

use crate::case::cases;
use crate::pair::{Pair, has_interface};

cases![
    it_is_deleted_and_its_id_is_free_at_once,
    its_read_only_root_is_free_at_once,
    it_is_deleted_by_force_while_connected,
    its_interfaces_are_home_at_once,
];

fn serving(bundle: Bundle) -> Bundle {
    bundle.ipv4(json!({ "mode": "inherit" })).probe(["serve", "127.0.0.1:0"])
}

fn jid(container: &Container<'_>) -> Jid {
    let jid = container.state()["annotations"]["org.freebsd.jail.jid"].clone();
    jid.as_str().unwrap().parse::<i32>().unwrap().try_into().unwrap()
}

/// Lets the container serve one who connects, and closes after the container has.
#[track_caller]
fn visit(container: &Container<'_>) {
    let listening = container.wait_line(0)["listening"].as_str().unwrap().to_owned();
    let mut text = String::new();
    TcpStream::connect(listening).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "from inside");
}

/// The jail of the container, which is deleted, is dying where jails do.
#[track_caller]
fn assert_dying(jid: Jid) {
    assert_eq!(Jail::by_jid(jid).unwrap(), None);
    // An emulated jail is gone with its last process.
    let dying = Jail::remains(jid).unwrap().is_some();
    assert_eq!(dying, cfg!(target_os = "freebsd"));
}

fn uses_and_deletes(sandbox: &Sandbox<'_>, bundle: &Bundle) {
    let before = sandbox.host();
    let id = sandbox.id();
    for _ in 0..3 {
        let container = sandbox.create_as(&id, bundle);
        container.start();
        visit(&container);
        container.wait_stopped();
        let jid = jid(&container);
        container.delete();
        assert_dying(jid);
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn it_is_deleted_and_its_id_is_free_at_once(sandbox: &Sandbox<'_>) {
    let bundle = serving(sandbox.bundle())
        .mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
        .mount(json!({ "destination": "/dev", "type": "devfs" }));
    uses_and_deletes(sandbox, &bundle);
}

fn its_read_only_root_is_free_at_once(sandbox: &Sandbox<'_>) {
    let bundle = serving(sandbox.bundle()).set("root.readonly", true);
    uses_and_deletes(sandbox, &bundle);
}

fn it_is_deleted_by_force_while_connected(sandbox: &Sandbox<'_>) {
    let line = "/opt/probe/runj-probe serve 127.0.0.1:0; exec sleep 1000";
    let bundle = serving(sandbox.bundle()).shell(line);
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    visit(&container);
    let jid = jid(&container);
    container.delete_by_force();
    assert_dying(jid);
    sandbox.host().assert_unchanged_since(&before);
}

/// Brings the interface up with an address, with what the host has for that, and then runs `then`.
pub(crate) fn configured(interface: &str, address: &str, then: &str) -> String {
    format!(
        "{{ ifconfig {interface} {address} netmask 255.255.255.0 up || \
         {{ ip address add {address}/24 dev {interface} && ip link set {interface} up; }}; }} && \
         exec /opt/probe/runj-probe {then}"
    )
}

/// A bundle with a network stack of its own, an interface in it, and an address on that.
pub(crate) fn with_interface(bundle: Bundle, interface: &str, address: &str, then: &str) -> Bundle {
    let network = json!({ "vnet": { "mode": "new", "interfaces": [interface] } });
    let bundle = bundle.extension(json!({ "network": network }));
    bundle.shell(&configured(interface, address, then))
}

fn its_interfaces_are_home_at_once(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let (a, b) = (pair.a.as_ref(), pair.b.as_ref());
    let before = sandbox.host();
    for _ in 0..2 {
        let server = with_interface(sandbox.bundle(), a, "198.19.7.1", "serve 198.19.7.1:4000");
        let client = with_interface(sandbox.bundle(), b, "198.19.7.2", "connect 198.19.7.1:4000");
        let server = sandbox.start(&server);
        assert_eq!(server.wait_line(0)["listening"], "198.19.7.1:4000");
        let client = sandbox.start(&client);
        assert_eq!(client.wait_line(0), json!({ "received": "from inside" }));
        server.wait_stopped();
        client.wait_stopped();
        let jids = [jid(&server), jid(&client)];
        client.delete();
        server.delete();
        assert!(has_interface(&pair.a) && has_interface(&pair.b));
        for jid in jids {
            assert_eq!(Jail::by_jid(jid).unwrap(), None);
        }
    }
    drop(before);
}
