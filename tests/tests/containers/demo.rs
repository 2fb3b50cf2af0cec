//! `runj demo`: things to try runj with.

use std::fs;

use runj_tests::Sandbox;
use serde_json::Value;

use crate::case::cases;
use crate::spec::{assert_is_a_shell, bundle_of};

cases![
    the_documents_it_writes_run: ResolvConf,
    the_documents_are_right_and_name_their_schema: ResolvConf,
    what_is_there_is_left_alone: Nothing,
];

fn the_documents_it_writes_run(sandbox: &Sandbox<'_>) {
    let written = sandbox.path().join("written");
    fs::create_dir(&written).unwrap();
    sandbox.runj(["demo", "spec"]).args([&written]).run().succeeded_silently();
    let config: Value =
        serde_json::from_slice(&fs::read(written.join("config.json")).unwrap()).unwrap();
    let bundle = bundle_of(sandbox, &config);
    fs::copy(written.join("runj.ext.json"), bundle.dir().join("runj.ext.json")).unwrap();
    assert_is_a_shell(sandbox, &bundle, "demo");
}

fn the_documents_are_right_and_name_their_schema(sandbox: &Sandbox<'_>) {
    let dir = sandbox.path().join("bundle");
    fs::create_dir_all(dir.join("rootfs")).unwrap();
    sandbox.runj(["demo", "spec"]).current_dir(&dir).run().succeeded_silently();
    sandbox.runj(["config", "check"]).args([&dir]).run().succeeded_silently();
    let extension = fs::read(dir.join("runj.ext.json")).unwrap();
    let extension: Value = serde_json::from_slice(&extension).unwrap();
    let schema = fs::read(dir.join(extension["$schema"].as_str().unwrap())).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    assert_eq!(schema["title"], "runj.ext.json");
    assert_eq!(schema["properties"]["network"]["type"], "object");
}

fn what_is_there_is_left_alone(sandbox: &Sandbox<'_>) {
    for name in ["config.json", "runj.ext.json", "runj.ext.schema.json"] {
        let dir = sandbox.path().join(name.replace('.', "-"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(name), "mine").unwrap();
        let message = sandbox.runj(["demo", "spec"]).args([&dir]).run().refused();
        assert_eq!(message, format!("{:?} is there already", dir.join(name)));
        assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), "mine");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing else is written");
    }
}
