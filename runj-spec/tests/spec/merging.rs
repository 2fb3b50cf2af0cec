//! How the sources of a jail's configuration become one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use runj_spec::{
    AddressFamily, AllowParameter, Bundle, Config, Container, Extension, IpAddress, Jail, Root,
    Sourced,
};
use serde_json::{Map, Value, json};

use crate::documents::{self, address_of};

fn bundle(config: &Value, extension: Option<&Value>) -> Bundle {
    let extension = extension
        .map(|text| Extension::parse(text.to_string().as_bytes(), "runj.ext.json").unwrap());
    let config = Config::parse(config.to_string().as_bytes(), "config.json").unwrap();
    Bundle { dir: PathBuf::from("/bundle"), config, extension }
}

fn merged(config: &Value, extension: Option<&Value>) -> Container {
    bundle(config, extension).container().unwrap()
}

fn merged_jail(freebsd: Value, annotations: Value, extension: Value) -> Jail {
    let config = json!({"ociVersion": "1.3.0", "freebsd": freebsd, "annotations": annotations});
    merged(&config, Some(&extension)).jail
}

fn given<T: ToString>(value: &Sourced<T>) -> (String, String) {
    (value.value.to_string(), value.origin.to_string())
}

fn all_given<T: ToString>(list: &[Sourced<T>]) -> Vec<(String, String)> {
    list.iter().map(given).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(value, origin)| ((*value).to_owned(), (*origin).to_owned())).collect()
}

#[test]
fn a_mode_of_the_extension_overwrites() {
    let jail = merged_jail(
        json!({"jail": {"ip4": "new", "vnet": "inherit"}, "network": {"ipv6": {"mode": "disable"}}}),
        json!({}),
        json!({"network": {"ipv4": {"mode": "inherit"}, "ipv6": {"mode": "new"}}}),
    );
    assert_eq!(
        given(&jail.ip4.unwrap()),
        ("inherit".into(), "runj.ext.json: network.ipv4.mode".into())
    );
    assert_eq!(
        given(&jail.ip6.unwrap()),
        ("new".into(), "runj.ext.json: network.ipv6.mode".into())
    );
    assert_eq!(
        given(&jail.vnet.unwrap()),
        ("inherit".into(), "config.json: freebsd.jail.vnet".into())
    );
}

#[test]
fn the_resolver_is_the_extension_s_to_choose() {
    let config = json!({"ociVersion": "1.3.0", "freebsd": {"network": {"resolvConf": "host"}}});
    assert_eq!(merged(&config, None).resolv_conf, None);
    let extension = json!({"network": {"resolvConf": "host"}});
    assert_eq!(
        given(&merged(&config, Some(&extension)).resolv_conf.unwrap()),
        ("host".into(), "runj.ext.json: network.resolvConf".into())
    );
}

#[test]
fn lists_append_what_is_not_there() {
    let jail = merged_jail(
        json!({
            "jail": {"ip4Addr": ["10.0.0.1", "10.0.0.2"], "vnetInterfaces": ["epair0b"]},
            "network": {"ipv4": {"addr": ["10.0.0.3", "10.0.0.1"]}, "vnet": {"interfaces": ["epair1b"]}},
        }),
        json!({}),
        json!({"network": {"ipv4": {"addr": ["10.0.0.4", "10.0.0.2"]}, "vnet": {"interfaces": ["epair0b", "epair2b"]}}}),
    );
    assert_eq!(
        all_given(&jail.ip4_addr),
        pairs(&[
            ("10.0.0.1", "config.json: freebsd.jail.ip4Addr[0]"),
            ("10.0.0.2", "config.json: freebsd.jail.ip4Addr[1]"),
            ("10.0.0.3", "config.json: freebsd.network.ipv4.addr[0]"),
            ("10.0.0.4", "runj.ext.json: network.ipv4.addr[0]"),
        ])
    );
    assert_eq!(
        all_given(&jail.vnet_interfaces),
        pairs(&[
            ("epair0b", "config.json: freebsd.jail.vnetInterfaces[0]"),
            ("epair1b", "config.json: freebsd.network.vnet.interfaces[0]"),
            ("epair2b", "runj.ext.json: network.vnet.interfaces[1]"),
        ])
    );
}

#[test]
fn a_prefix_length_is_filled_and_overwritten_like_a_mode() {
    let jail = merged_jail(
        json!({
            "jail": {"ip4Addr": ["10.0.0.1", "10.0.0.2/24", "10.0.0.3/24"]},
            "network": {"ipv4": {"addr": ["10.0.0.1/8"]}},
        }),
        json!({}),
        json!({"network": {"ipv4": {"addr": ["10.0.0.2/16", "10.0.0.3"]}}}),
    );
    assert_eq!(
        all_given(&jail.ip4_addr),
        pairs(&[
            ("10.0.0.1/8", "config.json: freebsd.network.ipv4.addr[0]"),
            ("10.0.0.2/16", "runj.ext.json: network.ipv4.addr[0]"),
            ("10.0.0.3/24", "config.json: freebsd.jail.ip4Addr[2]"),
        ])
    );
}

#[test]
fn contradictions_name_both_places() {
    let config = json!({"ociVersion": "1.3.0", "freebsd": {
        "jail": {"ip4": "new", "ip6": "new", "vnet": "new", "ip4Addr": ["10.0.0.1/8", "10.0.0.2"]},
        "network": {
            "ipv4": {"mode": "inherit", "addr": ["10.0.0.2/8", "10.0.0.1/16"]},
            "ipv6": {"mode": "new"},
            "vnet": {"mode": "inherit"},
        },
    }});
    let error = Config::parse(config.to_string().as_bytes(), "config.json").unwrap_err();
    assert_eq!(
        error.to_string(),
        [
            r#"config.json: freebsd.network.ipv4.mode: "inherit" is not allowed: expected "new", as at config.json: freebsd.jail.ip4"#,
            r#"config.json: freebsd.network.ipv4.addr[1]: "10.0.0.1/16" is not allowed: expected "10.0.0.1/8", as at config.json: freebsd.jail.ip4Addr[0]"#,
            r#"config.json: freebsd.network.vnet.mode: "inherit" is not allowed: expected "new", as at config.json: freebsd.jail.vnet"#,
        ]
        .join("; ")
    );
}

#[test]
fn a_bundle_put_together_by_hand_is_checked_too() {
    let mut bundle = bundle(&json!({"ociVersion": "1.3.0"}), None);
    bundle.config.annotations.insert("org.freebsd.jail.vnet".to_owned(), "no".to_owned());
    assert_eq!(
        bundle.container().unwrap_err().to_string(),
        r#"config.json: annotations["org.freebsd.jail.vnet"]: "no" is not allowed: expected one of "inherit", "new""#
    );
}

#[test]
fn annotations_fill_what_nothing_else_gave() {
    let annotations = json!({
        "org.freebsd.parentJail": "pod.infra",
        "org.freebsd.jail.vnet": "new",
        "org.freebsd.jail.ip4.addr": "10.0.0.1, 10.0.0.2/24,",
        "org.freebsd.jail.ip6.addr": "::1",
        "org.freebsd.jail.sysvmsg": "inherit",
        "org.freebsd.jail.sysvsem": "new",
        "org.freebsd.jail.sysvshm": "disable",
        "org.freebsd.jail.allow.mlock": "1",
        "org.freebsd.jail.allow.set_hostname": "false",
    });
    let jail = merged_jail(json!({}), annotations.clone(), json!({}));
    let at = |key: &str| format!("config.json: annotations[\"org.freebsd.{key}\"]");
    assert_eq!(given(&jail.parent.unwrap()), ("pod.infra".into(), at("parentJail")));
    assert_eq!(given(&jail.vnet.unwrap()), ("new".into(), at("jail.vnet")));
    assert_eq!(
        all_given(&jail.ip4_addr),
        [("10.0.0.1".into(), at("jail.ip4.addr")), ("10.0.0.2/24".into(), at("jail.ip4.addr"))]
    );
    assert_eq!(all_given(&jail.ip6_addr), [("::1".into(), at("jail.ip6.addr"))]);
    assert_eq!(given(&jail.sysvmsg.unwrap()), ("inherit".into(), at("jail.sysvmsg")));
    assert_eq!(given(&jail.sysvsem.unwrap()), ("new".into(), at("jail.sysvsem")));
    assert_eq!(given(&jail.sysvshm.unwrap()), ("disable".into(), at("jail.sysvshm")));
    assert_eq!(given(&jail.allow["mlock"]), ("true".into(), at("jail.allow.mlock")));
    assert_eq!(given(&jail.allow["set_hostname"]), ("false".into(), at("jail.allow.set_hostname")));

    let overruled = merged_jail(
        json!({
            "jail": {"parent": "p", "ip6Addr": "::2", "sysvmsg": "new", "allow": {"mlock": false}},
            "network": {"vnet": {"mode": "inherit"}},
        }),
        annotations,
        json!({"network": {"ipv4": {"addr": ["10.0.0.9"]}}}),
    );
    assert_eq!(given(&overruled.parent.unwrap()).0, "p");
    assert_eq!(given(&overruled.vnet.unwrap()).0, "inherit");
    assert_eq!(all_given(&overruled.ip4_addr).len(), 1);
    assert_eq!(
        all_given(&overruled.ip6_addr),
        pairs(&[("::2", "config.json: freebsd.jail.ip6Addr[0]")])
    );
    assert_eq!(given(&overruled.sysvmsg.unwrap()).0, "new");
    assert_eq!(given(&overruled.sysvsem.unwrap()).0, "new");
    assert_eq!(
        given(&overruled.allow["mlock"]),
        ("false".into(), "config.json: freebsd.jail.allow.mlock".into())
    );
    assert!(!overruled.allow["set_hostname"].value);
}

#[test]
fn permissions_get_the_names_of_jail_8() {
    let allow = json!({
        "setHostname": true, "rawSockets": false, "chflags": true, "mount": ["nullfs", "tmpfs"], "quotas": true,
        "socketAf": true, "mlock": true, "reservedPorts": false, "suser": false, "sysvipc": true,
    });
    let jail = merged_jail(json!({"jail": {"allow": allow}}), json!({}), json!({}));
    let expected = [
        ("chflags", true),
        ("mlock", true),
        ("mount", true),
        ("mount.nullfs", true),
        ("mount.tmpfs", true),
        ("quotas", true),
        ("raw_sockets", false),
        ("reserved_ports", false),
        ("set_hostname", true),
        ("socket_af", true),
        ("suser", false),
        ("sysvipc", true),
    ];
    let found: Vec<_> =
        jail.allow.iter().map(|(name, value)| (name.as_ref(), value.value)).collect();
    assert_eq!(found, expected);
    assert_eq!(jail.allow["mount.tmpfs"].origin.path(), "freebsd.jail.allow.mount");
    assert_eq!(jail.allow["raw_sockets"].origin.path(), "freebsd.jail.allow.rawSockets");
}

#[test]
fn mounting_can_be_a_switch() {
    for (mount, expected) in
        [(json!(true), Some(true)), (json!(false), Some(false)), (json!([]), None)]
    {
        let jail = merged_jail(json!({"jail": {"allow": {"mount": mount}}}), json!({}), json!({}));
        assert_eq!(jail.allow.get("mount").map(|mount| mount.value), expected);
        assert!(jail.allow.keys().all(|name| name.as_ref() == "mount"));
    }
}

#[test]
fn a_container_has_a_root() {
    let container = merged(&json!({"ociVersion": "1.3.0"}), None);
    assert_eq!(container.root, Root::default());
    assert_eq!((container.root.path.as_str(), container.root.readonly), ("rootfs", false));
}

/// Every value of a jail, with its origin and the text that a document has for it.
fn sourced(jail: &Jail) -> Vec<Sourced<String>> {
    fn add<'a, T: ToString + 'a>(
        all: &mut Vec<Sourced<String>>,
        more: impl IntoIterator<Item = &'a Sourced<T>>,
    ) {
        all.extend(
            more.into_iter().map(|one| Sourced::new(one.value.to_string(), one.origin.clone())),
        );
    }
    let mut all = Vec::new();
    add(&mut all, &jail.parent);
    add(&mut all, &jail.host);
    add(&mut all, &jail.ip4);
    add(&mut all, &jail.ip4_addr);
    add(&mut all, &jail.ip6);
    add(&mut all, &jail.ip6_addr);
    add(&mut all, &jail.vnet);
    add(&mut all, &jail.vnet_interfaces);
    add(&mut all, &jail.interface);
    add(&mut all, &jail.sysvmsg);
    add(&mut all, &jail.sysvsem);
    add(&mut all, &jail.sysvshm);
    all.extend(
        jail.enforce_statfs
            .iter()
            .map(|one| Sourced::new(i32::from(one.value).to_string(), one.origin.clone())),
    );
    all
}

/// What is in `document` at the path of an origin.
fn at<'d>(document: &'d Value, path: &str) -> &'d Value {
    if let Some(key) = path.strip_prefix("annotations[\"") {
        return &document["annotations"][key.trim_end_matches("\"]")];
    }
    path.split(['.', '[']).fold(document, |value, step| match step.strip_suffix(']') {
        Some(index) => &value[index.parse::<usize>().unwrap()],
        None => &value[step],
    })
}

/// The texts of the list at `pointer`.
fn list(document: &Value, pointer: &str) -> Vec<Value> {
    document.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The list of an annotation.
fn annotated(config: &Value, key: &str) -> Vec<Value> {
    let text = config["annotations"][key].as_str().unwrap_or_default();
    text.split(',').filter(|text| !text.is_empty()).map(Value::from).collect()
}

/// The union in order, by what `identity` of the elements is the same.
fn union(lists: [Vec<Value>; 3], identity: fn(&Value) -> &str) -> Vec<String> {
    let mut seen = Vec::new();
    for value in lists.iter().flatten() {
        if !seen.contains(&identity(value)) {
            seen.push(identity(value));
        }
    }
    seen.into_iter().map(str::to_owned).collect()
}

/// The last of `lists` that has a prefix length for `address` decides it.
fn prefix(lists: &[Vec<Value>; 3], address: &str) -> Option<String> {
    let same = lists.iter().flatten().rev().filter(|value| address_of(value) == address);
    same.filter_map(|value| value.as_str()?.split_once('/'))
        .map(|(_, prefix)| prefix.to_owned())
        .next()
}

fn assert_addresses<A: AddressFamily>(
    found: &[Sourced<IpAddress<A>>],
    lists: [Vec<Value>; 3],
    annotated: Vec<Value>,
) -> Result<(), TestCaseError> {
    let lists = if lists.iter().all(Vec::is_empty) { [annotated, vec![], vec![]] } else { lists };
    let expected: Vec<_> = union(lists.clone(), address_of)
        .into_iter()
        .map(|address| match prefix(&lists, &address) {
            Some(prefix) => format!("{address}/{prefix}"),
            None => address,
        })
        .collect();
    let found: Vec<_> = found.iter().map(|one| one.value.to_string()).collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

fn assert_mode<T: ToString>(
    found: &Option<Sourced<T>>,
    sources: [&Value; 4],
) -> Result<(), TestCaseError> {
    let expected = sources.into_iter().find_map(Value::as_str);
    let found = found.as_ref().map(|one| one.value.to_string());
    prop_assert_eq!(found.as_deref(), expected);
    Ok(())
}

proptest! {
    #[test]
    fn every_value_is_found_at_its_origin(config in documents::config(), extension in documents::extension()) {
        let container = merged(&config, Some(&extension));
        for Sourced { value, origin } in sourced(&container.jail) {
            let document = if origin.file() == "config.json" { &config } else { &extension };
            let written = at(document, origin.path());
            let written = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
            let found = if origin.path().ends_with(".addr\"]") {
                written.split(',').any(|one| one == value)
            } else {
                written == value
            };
            prop_assert!(found, "{} is not {:?} but {:?}", origin, value, written);
        }
        for (name, Sourced { value, origin }) in &container.jail.allow {
            prop_assert_eq!(origin.file(), "config.json");
            let found = match at(&config, origin.path()) {
                Value::Bool(flag) => flag == value,
                Value::String(text) => (text == "true" || text == "1") == *value,
                Value::Array(types) => *value && (name.as_ref() == "mount" || types.iter().any(|typ| name.as_ref() == format!("mount.{}", typ.as_str().unwrap()))),
                _ => false,
            };
            prop_assert!(found, "{} of {}", origin, name);
        }
    }

    #[test]
    fn nothing_is_lost(config in documents::config(), extension in documents::extension()) {
        let none = Value::Null;
        let jail = merged(&config, Some(&extension)).jail;
        let (base, fill, annotations) = (&config["freebsd"]["jail"], &config["freebsd"]["network"], &config["annotations"]);
        let over = &extension["network"];

        assert_mode(&jail.ip4, [&over["ipv4"]["mode"], &base["ip4"], &fill["ipv4"]["mode"], &none])?;
        assert_mode(&jail.ip6, [&over["ipv6"]["mode"], &base["ip6"], &fill["ipv6"]["mode"], &none])?;
        assert_mode(&jail.vnet, [&over["vnet"]["mode"], &base["vnet"], &fill["vnet"]["mode"], &annotations["org.freebsd.jail.vnet"]])?;
        assert_mode(&jail.parent, [&base["parent"], &annotations["org.freebsd.parentJail"], &none, &none])?;
        assert_mode(&jail.host, [&base["host"], &none, &none, &none])?;
        assert_mode(&jail.interface, [&base["interface"], &none, &none, &none])?;
        assert_mode(&jail.sysvmsg, [&base["sysvmsg"], &annotations["org.freebsd.jail.sysvmsg"], &none, &none])?;
        assert_mode(&jail.sysvsem, [&base["sysvsem"], &annotations["org.freebsd.jail.sysvsem"], &none, &none])?;
        assert_mode(&jail.sysvshm, [&base["sysvshm"], &annotations["org.freebsd.jail.sysvshm"], &none, &none])?;
        prop_assert_eq!(
            jail.enforce_statfs.map(|one| i64::from(i32::from(one.value))),
            base["enforceStatfs"].as_i64()
        );

        assert_addresses(
            &jail.ip4_addr,
            [list(base, "/ip4Addr"), list(fill, "/ipv4/addr"), list(over, "/ipv4/addr")],
            annotated(&config, "org.freebsd.jail.ip4.addr"),
        )?;
        assert_addresses(
            &jail.ip6_addr,
            [list(base, "/ip6Addr"), list(fill, "/ipv6/addr"), list(over, "/ipv6/addr")],
            annotated(&config, "org.freebsd.jail.ip6.addr"),
        )?;
        let names: Vec<_> = jail.vnet_interfaces.iter().map(|one| one.value.to_string()).collect();
        let sources = [list(base, "/vnetInterfaces"), list(fill, "/vnet/interfaces"), list(over, "/vnet/interfaces")];
        prop_assert_eq!(names, union(sources, |name| name.as_str().unwrap()));

        let empty = Map::new();
        for (key, value) in base["allow"].as_object().unwrap_or(&empty) {
            let snake = key.chars().flat_map(|letter| {
                let upper = letter.is_ascii_uppercase();
                upper.then_some('_').into_iter().chain([letter.to_ascii_lowercase()])
            });
            let name: String = snake.collect();
            if let (Some(value), false) = (value.as_bool(), key.starts_with('x')) {
                prop_assert_eq!(jail.allow.get(name.as_str()).map(|one| one.value), Some(value));
            }
            for typ in list(&base["allow"], "/mount") {
                let name = format!("mount.{}", typ.as_str().unwrap());
                prop_assert!(jail.allow[name.as_str()].value);
            }
        }
        for name in ["mlock", "mount.zfs"] {
            if let Some(text) = annotations[&format!("org.freebsd.jail.allow.{name}")].as_str() {
                let value = base["allow"][name].as_bool().unwrap_or(matches!(text, "true" | "1"));
                let listed = name == "mount.zfs" && list(base, "/allow/mount").contains(&json!("zfs"));
                prop_assert_eq!(jail.allow[name].value, value || listed);
            }
        }
    }

    #[test]
    fn merging_again_changes_nothing(config in documents::config(), extension in documents::extension()) {
        let first = merged(&config, Some(&extension)).jail;

        // What was merged becomes the base, and is merged with the same extension and annotations.
        let mut again = config;
        if let Some(freebsd) = again["freebsd"].as_object_mut() {
            freebsd.remove("network");
        }
        let base = &mut again["freebsd"]["jail"];
        let text = |one: String| Value::from(one);
        base["ip4"] = first.ip4.as_ref().map(|one| text(one.value.to_string())).into();
        base["ip6"] = first.ip6.as_ref().map(|one| text(one.value.to_string())).into();
        base["vnet"] = first.vnet.as_ref().map(|one| text(one.value.to_string())).into();
        base["ip4Addr"] = first.ip4_addr.iter().map(|one| text(one.value.to_string())).collect();
        base["ip6Addr"] = first.ip6_addr.iter().map(|one| text(one.value.to_string())).collect();
        base["vnetInterfaces"] = first.vnet_interfaces.iter().map(|one| text(one.value.to_string())).collect();
        let second = merged(&again, Some(&extension)).jail;

        let values = |jail: &Jail| -> (Vec<String>, BTreeMap<AllowParameter, bool>) {
            let allow = jail.allow.iter().map(|(name, one)| (name.clone(), one.value)).collect();
            (sourced(jail).into_iter().map(|one| one.value).collect(), allow)
        };
        prop_assert_eq!(values(&second), values(&first));
    }
}
