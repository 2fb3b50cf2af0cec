//! What the configuration says about the jail itself, the network apart.

use nix::unistd::gethostname;
use runj_jail::{Jail, Kind, Params, Value as JailValue};
use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    what_is_allowed_is_allowed_and_nothing_else,
    annotations_count_where_nothing_else_speaks,
    the_host_s_name_can_be_inherited,
    an_inherited_host_has_no_name_of_its_own,
    a_container_in_a_jail,
    how_much_of_the_mounts_is_seen,
];

/// What comes of asking for a raw socket of IPv4.
#[track_caller]
fn raw_socket(sandbox: &Sandbox<'_>, bundle: Bundle) -> Value {
    let bundle = bundle.ipv4(json!({ "mode": "inherit" })).probe(["socket", "raw"]);
    sandbox.run(&bundle).json()
}

fn what_is_allowed_is_allowed_and_nothing_else(sandbox: &Sandbox<'_>) {
    let (made, refused) = (json!({ "socket": true }), json!({ "errno": "EPERM" }));
    assert_eq!(raw_socket(sandbox, sandbox.bundle()), refused);
    let allow = |yes: bool| sandbox.bundle().set("freebsd.jail.allow.rawSockets", yes);
    assert_eq!(raw_socket(sandbox, allow(true)), made);
    assert_eq!(raw_socket(sandbox, allow(false)), refused);

    // What jails may do by default can be taken from them.
    let name = || sandbox.bundle().set("hostname", "jailed").probe(["set-hostname", "other"]);
    assert_eq!(sandbox.run(&name()).json(), json!({ "hostname": "other" }));
    let name = name().set("freebsd.jail.allow.setHostname", false);
    assert_eq!(sandbox.run(&name).json(), refused);
}

fn annotations_count_where_nothing_else_speaks(sandbox: &Sandbox<'_>) {
    let annotated = || {
        let key = "org.freebsd.jail.allow.raw_sockets";
        sandbox.bundle().set("annotations", json!({ key: "true" }))
    };
    assert_eq!(raw_socket(sandbox, annotated()), json!({ "socket": true }));
    let overruled = annotated().set("freebsd.jail.allow.rawSockets", false);
    assert_eq!(raw_socket(sandbox, overruled), json!({ "errno": "EPERM" }));
}

fn the_host_s_name_can_be_inherited(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("freebsd.jail.host", "inherit").probe(["report"]);
    let report = sandbox.run(&bundle).json();
    assert_eq!(report["hostname"], gethostname().unwrap().to_str().unwrap());
}

fn an_inherited_host_has_no_name_of_its_own(sandbox: &Sandbox<'_>) {
    for property in ["hostname", "domainname"] {
        let bundle = sandbox.bundle().set("freebsd.jail.host", "inherit").set(property, "x");
        let message = sandbox.try_create(&sandbox.id(), &bundle).refused();
        assert!(message.starts_with("config.json: freebsd.jail.host: \"inherit\""), "{message}");
        assert!(message.contains(property), "{message}");
    }
}

fn a_container_in_a_jail(sandbox: &Sandbox<'_>) {
    let parent = sandbox.id();
    let path = sandbox.path().to_str().unwrap();
    let outer = Jail::create(
        &Params::new()
            .string("name", &*parent)
            .string("path", path)
            .int("children.max", 5)
            .flag("persist", true),
    )
    .unwrap();
    let bundle = sandbox.bundle().set("freebsd.jail.parent", parent.as_str());
    let container = sandbox.start(&bundle);
    let name = format!("{parent}.{}", container.id()).parse().unwrap();
    let jail = Jail::find(&name).unwrap().expect("a jail below the other one");
    let jid = container.state()["annotations"]["org.freebsd.jail.jid"].clone();
    assert_eq!(jid, jail.jid().to_string());
    container.exec([], ["true"]).run().succeeded_silently();
    sandbox.runj(["delete", "--force", container.id()]).run().succeeded_silently();
    assert_eq!(Jail::find(&name).unwrap(), None);
    outer.remove().unwrap();
}

fn how_much_of_the_mounts_is_seen(sandbox: &Sandbox<'_>) {
    for level in [0, 1, 2] {
        let bundle = sandbox.bundle().set("freebsd.jail.enforceStatfs", level);
        let container = sandbox.create(&bundle);
        let jail = Jail::find(&container.id().parse().unwrap()).unwrap().unwrap();
        let values = jail.get(&[("enforce_statfs", Kind::Int)]).unwrap();
        assert_eq!(values, [JailValue::Int(level)]);
        container.delete();
    }
}
