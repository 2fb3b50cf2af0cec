//! What podman and buildah leave unsaid.

use std::path::PathBuf;

use runj_spec::{Bundle, Config, Extension, Jail};
use serde_json::{Value, json};

const PODMAN: &str = "io.container.manager";

/// The jail of a bundle in `dir` whose config.json has `config` beside the version.
fn jail(dir: &str, mut config: Value, extension: Option<Value>) -> Jail {
    config["ociVersion"] = "1.3.0".into();
    let config = Config::parse(config.to_string().as_bytes(), "config.json").unwrap();
    let extension = extension.map(|extension| {
        Extension::parse(extension.to_string().as_bytes(), "runj.ext.json").unwrap()
    });
    Bundle { dir: PathBuf::from(dir), config, extension }.container().unwrap().jail
}

fn podman(mut config: Value) -> Jail {
    config["annotations"][PODMAN] = "libpod".into();
    jail("/bundle", config, None)
}

/// What buildah gives a container as long as it has a network.
fn hosts(dir: &str) -> Value {
    json!({ "destination": "/etc/hosts", "type": "nullfs", "source": format!("{dir}/hosts") })
}

/// The modes of the two families.
fn modes(jail: &Jail) -> [Option<String>; 2] {
    [&jail.ip4, &jail.ip6].map(|mode| mode.as_ref().map(|mode| mode.value.to_string()))
}

const NONE: [Option<String>; 2] = [None, None];

fn inherited() -> [Option<String>; 2] {
    ["inherit", "inherit"].map(|mode| Some(mode.to_owned()))
}

#[test]
fn a_plain_bundle_gets_nothing() {
    let jail = jail("/bundle", json!({ "annotations": { PODMAN: "mine" } }), None);
    assert_eq!(jail, Jail::default());
}

#[test]
fn podman_s_host_network_is_the_host_s() {
    let jail = podman(json!({ "annotations": { "org.opencontainers.image.stopSignal": "15" } }));
    assert_eq!(modes(&jail), inherited());
    let origin = jail.ip4.unwrap().origin.to_string();
    assert_eq!(origin, r#"config.json: annotations["io.container.manager"]"#);
}

#[test]
fn podman_s_own_networks_are_not_the_host_s() {
    let vnet = podman(json!({ "annotations": { "org.freebsd.jail.vnet": "new" } }));
    assert_eq!(modes(&vnet), NONE);
    for network in [json!({ "type": "network" }), json!({ "type": "network", "path": "/x" })] {
        let namespaces = json!([{ "type": "pid" }, network]);
        let linux = json!({ "namespaces": namespaces });
        assert_eq!(modes(&podman(json!({ "linux": linux }))), NONE);
        // In a bundle for FreeBSD it is there whatever network is asked for.
        let mounts = json!([{ "destination": "/dev", "type": "devfs" }]);
        assert_eq!(modes(&podman(json!({ "linux": linux, "mounts": mounts }))), inherited());
    }
}

#[test]
fn podman_without_a_network_gets_none() {
    const DIR: &str = "/storage/0a1b2c3d4e5f60718293/userdata";
    let podman = |hostname: &str, parent: Option<&str>| {
        let mut annotations = json!({ PODMAN: "libpod" });
        if let Some(parent) = parent {
            annotations["org.freebsd.parentJail"] = parent.into();
        }
        jail(DIR, json!({ "annotations": annotations, "hostname": hostname }), None)
    };
    assert_eq!(modes(&podman("0a1b2c3d4e5f", None)), NONE);
    assert_eq!(modes(&podman("host.example.org", None)), inherited());
    assert_eq!(modes(&podman("0a1b2c3d4e5f", Some("vnet-1"))), inherited());
}

#[test]
fn a_jail_in_another_has_the_addresses_of_that_one() {
    let jail = podman(json!({ "annotations": { "org.freebsd.parentJail": "vnet-1" } }));
    assert_eq!(jail.parent.as_ref().unwrap().value, "vnet-1");
    assert_eq!(modes(&jail), inherited());
}

#[test]
fn whoever_speaks_of_the_network_is_heard() {
    for (key, value) in [
        ("org.freebsd.jail.ip4", "disable"),
        ("org.freebsd.jail.ip6", "new"),
        ("org.freebsd.jail.ip4.addr", "192.0.2.1"),
        ("org.freebsd.jail.ip6.addr", "2001:db8::1"),
        ("org.freebsd.jail.ip6.add", "2001:db8::1"),
    ] {
        let jail = podman(json!({ "annotations": { key: value } }));
        assert_ne!(modes(&jail), inherited(), "{key}");
        assert!(!modes(&jail).contains(&Some("inherit".into())), "{key}");
    }
    for freebsd in [
        json!({ "ip4": "disable" }),
        json!({ "ip6Addr": ["2001:db8::1"] }),
        json!({ "vnetInterfaces": ["epair0b"] }),
        json!({ "vnet": "new" }),
    ] {
        let jail = podman(json!({ "freebsd": { "jail": freebsd } }));
        assert!(!modes(&jail).contains(&Some("inherit".into())), "{freebsd}");
    }
    // The default in words is no word.
    let jail = podman(json!({ "annotations": { "org.freebsd.jail.vnet": "inherit" } }));
    assert_eq!(modes(&jail), inherited());

    let extension = json!({ "network": { "ipv4": { "mode": "disable" } } });
    let config = json!({ "annotations": { PODMAN: "libpod" } });
    let jail = self::jail("/bundle", config, Some(extension));
    assert_eq!(modes(&jail), [Some("disable".into()), None]);
}

#[test]
fn buildah_is_known_by_its_bundle() {
    let dir = "/var/tmp/buildah4023868263";
    let config = || json!({ "mounts": [hosts(dir)] });
    let known = jail(dir, config(), None);
    assert_eq!(modes(&known), inherited());
    assert_eq!(known.ip6.unwrap().origin.to_string(), dir);
    for other in ["/var/tmp/buildah", "/var/tmp/buildah1x", "/var/tmp/mybuildah1", "/"] {
        assert_eq!(jail(other, json!({ "mounts": [hosts(other)] }), None), Jail::default());
    }
}

#[test]
fn buildah_without_a_network_gets_none() {
    let dir = "/var/tmp/buildah1";
    // The user's own file is no sign of a network.
    let own = json!({ "destination": "/etc/hosts", "source": "/home/me/hosts" });
    let linux = json!({ "namespaces": [{ "type": "network" }] });
    for config in [
        json!({}),
        json!({ "mounts": [own] }),
        json!({ "mounts": [hosts(dir)], "linux": linux }),
        json!({ "mounts": [hosts(dir)], "annotations": { "org.freebsd.jail.vnet": "new" } }),
    ] {
        assert_eq!(modes(&jail(dir, config.clone(), None)), NONE, "{config}");
    }
}

#[test]
fn both_let_containers_use_raw_sockets_and_file_flags() {
    let allowed = |jail: &Jail| -> Vec<(String, bool)> {
        jail.allow.iter().map(|(name, allowed)| (name.to_string(), allowed.value)).collect()
    };
    let both = [("chflags".to_owned(), true), ("raw_sockets".to_owned(), true)];
    assert_eq!(allowed(&podman(json!({}))), both);
    let dir = "/x/buildah7";
    assert_eq!(allowed(&jail(dir, json!({ "mounts": [hosts(dir)] }), None)), both);
    // A container of containerd's can have that id.
    assert_eq!(allowed(&jail(dir, json!({}), None)), []);
    assert_eq!(allowed(&jail(dir, json!({ "mounts": [hosts("/etc")] }), None)), []);
    let key = "org.freebsd.jail.allow.raw_sockets";
    let jail = podman(json!({ "annotations": { key: "false" } }));
    assert_eq!(allowed(&jail), [("chflags".to_owned(), true), ("raw_sockets".to_owned(), false)]);
}

#[test]
fn the_misspelt_annotation_counts_where_the_right_one_is_not_there() {
    let addresses = |annotations: Value| -> Vec<String> {
        let jail = jail("/bundle", json!({ "annotations": annotations }), None);
        jail.ip6_addr.iter().map(|address| address.value.to_string()).collect()
    };
    let (right, wrong) = ("org.freebsd.jail.ip6.addr", "org.freebsd.jail.ip6.add");
    assert_eq!(addresses(json!({ wrong: "2001:db8::1" })), ["2001:db8::1"]);
    assert_eq!(addresses(json!({ wrong: "2001:db8::1", right: "2001:db8::2" })), ["2001:db8::2"]);
}
