//! Addresses that containers have on interfaces of the host or of their own.

use runj_tests::{Bundle, Container, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;
use crate::lingering::with_interface;
use crate::pair::Pair;

cases![
    the_loopback_address_is_the_first_one,
    containers_share_an_address_that_each_has_alone,
    an_address_of_a_container_with_several,
    an_address_that_the_parent_jail_does_not_have,
    containers_with_stacks_of_their_own_reach_each_other,
    root_may_do_anything_with_a_stack_of_its_own,
];

fn on(bundle: Bundle, pair: &Pair, addresses: &[&str]) -> Bundle {
    bundle.set("freebsd.jail.interface", pair.a.as_ref()).set("freebsd.jail.ip4Addr", addresses)
}

/// What comes of binding to the address inside.
fn bound(container: &Container<'_>, address: &str) -> Value {
    container.exec([], Bundle::probe_command(["bind", address])).run().json()
}

fn the_loopback_address_is_the_first_one(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let bundle = on(sandbox.bundle(), &pair, &["198.19.3.2", "198.19.3.1"]);
    let container = sandbox.start(&bundle);
    assert_eq!(bound(&container, "127.0.0.1:4000"), json!({ "bound": "198.19.3.2:4000" }));
    assert_eq!(bound(&container, "198.19.3.1:4000"), json!({ "bound": "198.19.3.1:4000" }));
    assert_eq!(bound(&container, "198.19.3.3:4000"), json!({ "errno": "EADDRNOTAVAIL" }));
    // A server on it is reached there.
    let serving = Bundle::probe_command(["serve", "127.0.0.1:4001"]);
    let server = container.exec([], serving).spawn();
    runj_tests::eventually("the server", || server.stdout().contains("listening").then_some(()));
    let command = Bundle::probe_command(["connect", "127.0.0.1:4001"]);
    let said = container.exec([], command).run().json();
    assert_eq!(said, json!({ "received": "from inside" }));
    server.wait().succeeded();
}

fn containers_share_an_address_that_each_has_alone(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let bundle = || on(sandbox.bundle(), &pair, &["198.19.4.1"]);
    let (first, second) = (sandbox.start(&bundle()), sandbox.start(&bundle()));
    for container in [&first, &second] {
        assert!(bound(container, "198.19.4.1:0")["bound"].is_string());
    }
}

fn an_address_of_a_container_with_several(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let _first = sandbox.start(&on(sandbox.bundle(), &pair, &["198.19.5.1", "198.19.5.2"]));
    let bundle = on(sandbox.bundle(), &pair, &["198.19.5.2"]);
    let message = sandbox.refused(&bundle);
    let place = "config.json: freebsd.jail.ip4Addr[0]: another jail has an address of these";
    assert!(message.contains(place), "{message}");
}

fn an_address_that_the_parent_jail_does_not_have(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let parent = sandbox.start(&on(sandbox.bundle(), &pair, &["198.19.6.1"]));
    let bundle = sandbox
        .bundle()
        .set("freebsd.jail.parent", parent.id())
        .set("freebsd.jail.ip4Addr", json!(["198.19.6.2"]));
    let message = sandbox.refused(&bundle);
    assert!(message.contains("config.json: freebsd.jail.ip4Addr[0]"), "{message}");
    // The parent's own will do.
    let bundle = bundle.set("freebsd.jail.ip4Addr", json!(["198.19.6.1"]));
    let child = sandbox.start(&bundle);
    assert!(bound(&child, "198.19.6.1:0")["bound"].is_string());
    child.delete_by_force();
}

fn containers_with_stacks_of_their_own_reach_each_other(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let (a, b) = (pair.a.as_ref(), pair.b.as_ref());
    let one = sandbox.start(&with_interface(sandbox.bundle(), a, "198.19.8.1", "wait"));
    let other = sandbox.start(&with_interface(sandbox.bundle(), b, "198.19.8.2", "wait"));
    for container in [&one, &other] {
        assert_eq!(container.wait_line(0)["ready"], true);
    }
    for (server, client, address) in
        [(&one, &other, "198.19.8.1:4000"), (&other, &one, "198.19.8.2:4000")]
    {
        let serving = server.exec([], Bundle::probe_command(["serve", address])).spawn();
        runj_tests::eventually("the server", || {
            serving.stdout().contains("listening").then_some(())
        });
        let command = Bundle::probe_command(["connect", address]);
        let said = client.exec([], command).run().json();
        assert_eq!(said, json!({ "received": "from inside" }));
        serving.wait().succeeded();
    }
}

fn root_may_do_anything_with_a_stack_of_its_own(sandbox: &Sandbox<'_>) {
    let vnet = json!({ "network": { "vnet": { "mode": "new" } } });
    let said = sandbox.run(&sandbox.bundle().extension(vnet).probe(["socket", "raw"])).json();
    assert_eq!(said, json!({ "socket": true }));
}
