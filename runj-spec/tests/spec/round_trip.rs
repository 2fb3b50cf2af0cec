//! What is read is printed again, unknown properties included.

use std::net::Ipv6Addr;

use proptest::prelude::*;
use runj_spec::{Config, Extension, Process};
use serde::Serialize;
use serde_json::{Value, json};

use crate::documents;

fn parse(config: &Value) -> Config {
    Config::parse(config.to_string().as_bytes(), "config.json").unwrap()
}

fn printed(document: impl Serialize) -> Value {
    // By way of the text, since that is what is stored.
    serde_json::from_str(&serde_json::to_string(&document).unwrap()).unwrap()
}

/// Writes what a document says in the other ways that there are.
fn reword(config: &mut Value) {
    for (object, defaults) in [
        (
            "",
            json!({"mounts": [], "hooks": {}, "annotations": null, "root": null, "freebsd": null, "process": null}),
        ),
        ("/root", json!({"readonly": false})),
        (
            "/process",
            json!({"terminal": false, "noNewPrivileges": false, "env": [], "rlimits": null}),
        ),
        ("/process/user", json!({"umask": null, "additionalGids": []})),
        ("/hooks", json!({"prestart": [], "poststop": null})),
        ("/freebsd", json!({"devices": [], "jail": {}, "network": {"ipv4": {}, "vnet": null}})),
        (
            "/freebsd/jail",
            json!({"ip4": null, "ip4Addr": [], "vnetInterfaces": [], "allow": {"mlock": null}}),
        ),
        ("/freebsd/network", json!({"ipv6": {"addr": []}})),
    ] {
        let Some(Value::Object(object)) = config.pointer_mut(object) else { continue };
        for (key, value) in defaults.as_object().unwrap() {
            object.entry(key).or_insert(value.clone());
        }
    }
    for list in
        ["/freebsd/jail/ip4Addr", "/freebsd/network/ipv4/addr", "/freebsd/jail/vnetInterfaces"]
    {
        if let Some(list) = config.pointer_mut(list)
            && list.as_array().unwrap().len() == 1
        {
            *list = list[0].take();
        }
    }
    if let Some(interface) = config.pointer_mut("/freebsd/jail/interface") {
        *interface = json!([interface.take()]);
    }
    if let Some(Value::Array(addresses)) = config.pointer_mut("/freebsd/jail/ip6Addr") {
        for address in addresses {
            let short = documents::address_of(address);
            let long =
                short.parse::<Ipv6Addr>().unwrap().segments().map(|part| format!("{part:04X}"));
            *address = Value::from(address.as_str().unwrap().replacen(short, &long.join(":"), 1));
        }
    }
    if let Some(Value::Array(mounts)) = config.pointer_mut("/mounts") {
        for mount in mounts {
            let relative =
                mount["destination"].as_str().unwrap().trim_start_matches('/').to_owned();
            if mount["destination"] == format!("/{relative}") && !relative.is_empty() {
                mount["destination"] = Value::from(relative);
            }
        }
    }
}

proptest! {
    #[test]
    fn config_json_survives(config in documents::config()) {
        prop_assert_eq!(printed(parse(&config)), config);
    }

    #[test]
    fn runj_ext_json_survives(extension in documents::extension()) {
        let parsed = Extension::parse(extension.to_string().as_bytes(), "runj.ext.json").unwrap();
        prop_assert_eq!(printed(parsed), extension);
    }

    #[test]
    fn a_process_survives(process in documents::process()) {
        let parsed = Process::parse(process.to_string().as_bytes(), "process.json").unwrap();
        prop_assert_eq!(printed(parsed), process);
    }

    #[test]
    fn other_words_mean_the_same(config in documents::config()) {
        let mut reworded = config.clone();
        reword(&mut reworded);
        let parsed = parse(&reworded);
        prop_assert_eq!(&parsed, &parse(&config));
        prop_assert_eq!(&parse(&printed(&parsed)), &parsed);
    }
}

#[test]
fn defaults_are_printed_where_the_specification_has_them_required() {
    let config =
        json!({"ociVersion": "1.3.0", "root": {"readonly": true}, "process": {"args": ["sh"]}});
    assert_eq!(
        printed(parse(&config)),
        json!({
            "ociVersion": "1.3.0",
            "root": {"path": "rootfs", "readonly": true},
            "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/"},
        })
    );
}

#[test]
fn what_engines_write_is_read() {
    // An excerpt of what containerd writes on FreeBSD: a Linux section, capabilities, no user.
    let config = json!({
        "ociVersion": "1.2.1",
        "process": {
            "args": ["/bin/sh"],
            "cwd": "/",
            "capabilities": {"bounding": ["CAP_CHOWN"]},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": true,
            "apparmorProfile": "p",
            "oomScoreAdj": -17,
        },
        "root": {"path": "rootfs"},
        "mounts": [{"destination": "/dev", "type": "devfs", "source": "devfs", "options": ["ruleset=4"]}],
        "linux": {"resources": {"memory": {"limit": 9_223_372_036_854_772_000_u64}}, "namespaces": [{"type": "pid"}]},
    });
    let mut expected = config.clone();
    expected["process"]["user"] = json!({"uid": 0, "gid": 0});
    assert_eq!(printed(parse(&config)), expected);
}
