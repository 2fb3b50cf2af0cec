//! Which properties of config.json are looked for.

use runj_spec::Config;
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
