//! What the configuration says about the jail itself, the network apart.

use std::collections::BTreeMap;

use nix::unistd::gethostname;
use runj_jail::{Jail, Jailsys, Kind, Params, Value as JailValue};
use runj_tests::{Bundle, Container, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    what_is_allowed_is_allowed_and_nothing_else,
    each_permission_is_given_and_taken,
    a_container_without_a_super_user,
    file_systems_can_be_mounted_as_allowed,
    system_v_ipc_is_as_asked_for,
    system_v_ipc_is_the_container_s_own_by_default,
    annotations_count_where_nothing_else_speaks,
    the_host_is_inherited_or_new,
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

/// The values of parameters of the container's jail.
fn values<const N: usize>(container: &Container<'_>, kinds: [(&str, Kind); N]) -> Vec<JailValue> {
    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().expect("its jail");
    jail.get(&kinds).unwrap()
}

fn each_permission_is_given_and_taken(sandbox: &Sandbox<'_>) {
    let permissions = [
        ("setHostname", "allow.set_hostname"),
        ("rawSockets", "allow.raw_sockets"),
        ("chflags", "allow.chflags"),
        ("quotas", "allow.quotas"),
        ("socketAf", "allow.socket_af"),
        ("mlock", "allow.mlock"),
        ("reservedPorts", "allow.reserved_ports"),
        ("suser", "allow.suser"),
        ("sysvipc", "allow.sysvipc"),
    ];
    for on in [true, false] {
        let allow = |bundle: Bundle, (property, _)| {
            bundle.set(&format!("freebsd.jail.allow.{property}"), on)
        };
        let container = sandbox.create(&permissions.into_iter().fold(sandbox.bundle(), allow));
        let kinds = permissions.map(|(_, parameter)| (parameter, Kind::Flag));
        assert_eq!(values(&container, kinds), permissions.map(|_| JailValue::Flag(on)));
        container.delete();
    }
}

fn a_container_without_a_super_user(sandbox: &Sandbox<'_>) {
    for (uid, gid) in [(0, 0), (1234, 2345)] {
        let user = json!({ "uid": uid, "gid": gid, "additionalGids": [12, gid] });
        let bundle = sandbox.bundle().set("freebsd.jail.allow.suser", false);
        let bundle = bundle.set("process.user", user.clone());
        let report = sandbox.run(&bundle.probe(["report"])).json();
        assert_eq!(report["uid"], json!([uid, uid]));
        assert_eq!(report["gid"], json!([gid, gid]));
        let mut groups = [12, gid];
        groups.sort_unstable();
        assert_eq!(report["groups"], json!(groups));
    }
    // The same holds for what is executed later.
    let bundle = sandbox.bundle().set("freebsd.jail.allow.suser", false);
    let container = sandbox.start(&bundle);
    let command = Bundle::probe_command(["report"]);
    let report = container.exec(["--user", "1234:2345"], command).run().json();
    assert_eq!((&report["uid"], &report["gid"]), (&json!([1234, 1234]), &json!([2345, 2345])));
}

fn file_systems_can_be_mounted_as_allowed(sandbox: &Sandbox<'_>) {
    // Those that every kernel has.
    let kinds = ["allow.mount", "allow.mount.devfs"].map(|parameter| (parameter, Kind::Flag));
    for (mount, expected) in [
        (json!(["devfs"]), [true, true]),
        (json!([]), [false, false]),
        (json!(true), [true, false]),
        (json!(false), [false, false]),
    ] {
        let bundle = sandbox.bundle().set("freebsd.jail.allow.mount", mount);
        let container = sandbox.create(&bundle);
        assert_eq!(values(&container, kinds), expected.map(JailValue::Flag));
        container.delete();
    }
}

fn system_v_ipc_is_as_asked_for(sandbox: &Sandbox<'_>) {
    let kinds = ["sysvmsg", "sysvsem", "sysvshm"];
    // A different one for each, so that none can stand for another.
    let modes = [Jailsys::Disable, Jailsys::New, Jailsys::Inherit];
    for first in 0..kinds.len() {
        let mut modes = modes;
        modes.rotate_left(first);
        let jail = kinds.iter().zip(modes).map(|(kind, mode)| (*kind, mode.to_string()));
        let annotations =
            jail.clone().map(|(kind, mode)| (format!("org.freebsd.jail.{kind}"), mode));
        for bundle in [
            sandbox.bundle().set("freebsd.jail", json!(jail.clone().collect::<BTreeMap<_, _>>())),
            sandbox.bundle().set("annotations", json!(annotations.collect::<BTreeMap<_, _>>())),
        ] {
            let container = sandbox.create(&bundle);
            let kinds = kinds.map(|kind| (kind, Kind::Jailsys));
            assert_eq!(values(&container, kinds), modes.map(JailValue::Jailsys));
            container.delete();
        }
    }
}

fn system_v_ipc_is_the_container_s_own_by_default(sandbox: &Sandbox<'_>) {
    let kinds = || ["sysvmsg", "sysvsem", "sysvshm"].map(|kind| (kind, Kind::Jailsys));
    let own = JailValue::Jailsys(Jailsys::New);
    let container = sandbox.create(&sandbox.bundle());
    assert_eq!(values(&container, kinds()), [own.clone(), own.clone(), own.clone()]);
    container.delete();
    // What is asked for stays, and the older parameter speaks for all.
    let bundle = sandbox.bundle().set("freebsd.jail.sysvsem", "disable");
    let container = sandbox.create(&bundle);
    let none = JailValue::Jailsys(Jailsys::Disable);
    assert_eq!(values(&container, kinds()), [own.clone(), none.clone(), own]);
    container.delete();
    let bundle = sandbox.bundle().set("freebsd.jail.allow.sysvipc", false);
    let container = sandbox.create(&bundle);
    assert_eq!(values(&container, kinds()), [none.clone(), none.clone(), none]);
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

fn the_host_is_inherited_or_new(sandbox: &Sandbox<'_>) {
    for mode in [Jailsys::Inherit, Jailsys::New] {
        let container =
            sandbox.create(&sandbox.bundle().set("freebsd.jail.host", mode.to_string()));
        assert_eq!(values(&container, [("host", Kind::Jailsys)]), [JailValue::Jailsys(mode)]);
        container.delete();
    }
}

fn the_host_s_name_can_be_inherited(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("freebsd.jail.host", "inherit").probe(["report"]);
    let report = sandbox.run(&bundle).json();
    assert_eq!(report["hostname"], gethostname().unwrap().to_str().unwrap());
}

fn an_inherited_host_has_no_name_of_its_own(sandbox: &Sandbox<'_>) {
    for property in ["hostname", "domainname"] {
        let bundle = sandbox.bundle().set("freebsd.jail.host", "inherit").set(property, "x");
        let message = sandbox.refused(&bundle);
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
    container.delete_by_force();
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
