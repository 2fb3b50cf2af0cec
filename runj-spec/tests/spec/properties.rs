//! Which properties are looked for, and which are ignored.

use runj_spec::{Config, Extension, Ignored};
use serde_json::json;

#[test]
fn known_properties_are_found_wherever_there_is_an_object_to_have_them() {
    let found = Config::properties(json!({
        "mounts": [{ "destination": 7, "x": 1 }, {}],
        "annotations": { "a.b": "c" },
        "freebsd": { "jail": {} },
    }));
    for path in ["ociVersion", "mounts[].destination", "mounts[].options", "freebsd.jail.vnet"] {
        assert!(found.contains(path), "{path}: {found:?}");
    }
    // Nobody knows the first, and of the second there is no object.
    for path in ["mounts[].x", "process.args", "annotations[\"a.b\"]"] {
        assert!(!found.contains(path), "{path}: {found:?}");
    }
}

/// The places of what is ignored, and those properties of them of which one may have been meant.
fn ignored(found: Vec<Ignored>) -> Vec<(String, Option<String>)> {
    let told = |it: Ignored| (it.origin.to_string(), it.known.map(|known| known.join(" ")));
    found.into_iter().map(told).collect()
}

#[test]
fn ignored_properties_are_found_with_those_that_may_be_meant() {
    let found = Config::ignored(json!({
        "ociVersion": "1.3.0",
        "//": "a comment",
        "annotations": { "any": "name" },
        "mounts": [{ "destination": "/a" }, { "destination": "/b", "typ": "tmpfs", "uidMappings": [] }],
        "process": { "args": ["sh"], "capabilities": { "bounding": [] }, "user": { "uid": 1, "uuid": {} } },
        "zos": {},
    }));
    let known = |names: &str| Some(names.to_owned());
    assert_eq!(
        ignored(found),
        [
            ("config.json: process.user.uuid".into(), known("uid gid umask additionalGids")),
            ("config.json: process.capabilities".into(), None),
            ("config.json: mounts[1].typ".into(), known("destination type source options")),
            ("config.json: mounts[1].uidMappings".into(), None),
            ("config.json: [\"//\"]".into(), None),
            ("config.json: zos".into(), None),
        ]
    );
    let found = Extension::ignored(json!({
        "$schema": "runj.ext.schema.json",
        "network": { "ipv4": { "mode": "inherit", "addrs": [] }, "//": 1 },
        "netwrok": { "ipv4": {} },
    }));
    assert_eq!(
        ignored(found),
        [
            ("runj.ext.json: network.ipv4.addrs".into(), known("mode addr")),
            ("runj.ext.json: network[\"//\"]".into(), None),
            ("runj.ext.json: netwrok".into(), known("$schema network rctl")),
        ]
    );
    assert!(Config::ignored(json!(7)).is_empty());
}
