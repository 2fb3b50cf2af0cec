//! `runj features`: what it says is in the form of the specification, and true.

use std::fs;

use runj_tests::{Sandbox, copy_program};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    the_document_is_as_the_specification_has_it: Nothing,
    the_versions_that_it_names_are_taken,
    the_hooks_that_it_names_are_taken,
    the_mount_options_that_it_names_are_taken,
];

fn features(sandbox: &Sandbox<'_>) -> Value {
    sandbox.runj(["features"]).run().json()
}

/// The texts of a list, of which there are some and none twice.
#[track_caller]
fn texts<'a>(features: &'a Value, property: &str) -> Vec<&'a str> {
    let list = features[property].as_array().unwrap_or_else(|| panic!("{property}: {features}"));
    let mut texts: Vec<_> = list.iter().map(|text| text.as_str().unwrap()).collect();
    let count = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert!(count > 0 && count == texts.len(), "{property}: {list:?}");
    texts
}

/// The rules of features.md and of the schema beside it, in the test's own words.
fn the_document_is_as_the_specification_has_it(sandbox: &Sandbox<'_>) {
    let features = features(sandbox);
    // Version 1.3 has these and none for FreeBSD; what it has for Linux alone is not ours.
    let known = [
        "ociVersionMin",
        "ociVersionMax",
        "hooks",
        "mountOptions",
        "annotations",
        "potentiallyUnsafeConfigAnnotations",
    ];
    for (property, value) in features.as_object().unwrap() {
        assert!(known.contains(&property.as_str()), "{property}");
        assert!(!value.is_null(), "{property}");
    }
    let version = |property: &str| -> Vec<u32> {
        let text = features[property].as_str().unwrap();
        text.split('.').map(|number| number.parse().unwrap()).collect()
    };
    assert_eq!(version("ociVersionMin"), [1, 0, 0]);
    assert_eq!(version("ociVersionMax"), [1, 3, 0]);
    texts(&features, "hooks");
    texts(&features, "mountOptions");
    for annotation in texts(&features, "potentiallyUnsafeConfigAnnotations") {
        assert!(["org.freebsd.", "io.container."].iter().any(|ours| annotation.starts_with(ours)));
    }
    let annotations = features["annotations"].as_object().unwrap();
    assert!(annotations.values().all(Value::is_string) && !annotations.contains_key(""));
    assert_eq!(annotations["wtf.sbk.runj.version"], env!("CARGO_PKG_VERSION"));
}

fn the_versions_that_it_names_are_taken(sandbox: &Sandbox<'_>) {
    let features = features(sandbox);
    for property in ["ociVersionMin", "ociVersionMax"] {
        let container =
            sandbox.create(&sandbox.bundle().set("ociVersion", features[property].clone()));
        assert_eq!(container.state()["ociVersion"], features[property]);
    }
}

fn the_hooks_that_it_names_are_taken(sandbox: &Sandbox<'_>) {
    let features = features(sandbox);
    let hooks = texts(&features, "hooks");
    let all =
        ["createContainer", "createRuntime", "poststart", "poststop", "prestart", "startContainer"];
    assert_eq!(hooks, all);
    let bundle = sandbox.bundle();
    let script = bundle.script("hook", "exit 0");
    // One kind runs inside, where the borrowed programs are.
    copy_program(&script, &bundle.rootfs().join("hook"));
    let bundle = hooks.iter().fold(bundle, |bundle, kind| {
        let path = if *kind == "startContainer" { "/hook".as_ref() } else { script.as_path() };
        bundle.set(&format!("hooks.{kind}"), json!([{ "path": path }]))
    });
    sandbox.start(&bundle);
}

fn the_mount_options_that_it_names_are_taken(sandbox: &Sandbox<'_>) {
    let features = features(sandbox);
    let options = texts(&features, "mountOptions");
    for needed in
        ["bind", "noexec", "nosuid", "private", "rbind", "ro", "rprivate", "rw", "tmpcopyup"]
    {
        assert!(options.contains(&needed), "{needed} is not in {options:?}");
    }
    let shown = sandbox.path().join("shown");
    fs::create_dir(&shown).unwrap();
    let bundle = options.iter().fold(sandbox.bundle(), |bundle, option| {
        // What is copied up goes into a tmpfs.
        let (typ, source) = match option.contains("copyup") {
            true => ("tmpfs", "tmpfs"),
            false => ("nullfs", shown.to_str().unwrap()),
        };
        bundle.mount(json!({
            "destination": format!("/mounts/{option}"),
            "type": typ,
            "source": source,
            "options": [option]
        }))
    });
    sandbox.create(&bundle);
}
