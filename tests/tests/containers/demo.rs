//! `runj demo`: things to try runj with.

use std::fs;

use runj_tests::{ConsoleSocket, Sandbox};
use serde_json::Value;

use crate::case::cases;

cases![
    the_documents_it_writes_run,
    the_documents_are_right_and_name_their_schema: Nothing,
    what_is_there_is_left_alone: Nothing,
];

fn the_documents_it_writes_run(sandbox: &Sandbox<'_>) {
    let written = sandbox.path().join("written");
    fs::create_dir(&written).unwrap();
    sandbox.runj(["demo", "spec"]).args([&written]).run().succeeded_silently();
    let config: Value =
        serde_json::from_slice(&fs::read(written.join("config.json")).unwrap()).unwrap();
    // With the host's programs in its root.
    let mut bundle = sandbox.bundle();
    for (name, value) in config.as_object().unwrap() {
        bundle = match value {
            Value::Array(mounts) if name == "mounts" => {
                mounts.iter().fold(bundle, |bundle, mount| bundle.mount(mount.clone()))
            }
            other => bundle.set(name, other.clone()),
        };
    }
    fs::copy(written.join("runj.ext.json"), bundle.dir().join("runj.ext.json")).unwrap();

    let socket = ConsoleSocket::listen(sandbox.path().join("console.sock"));
    let id = sandbox.id();
    let create = sandbox.runj(["create", &id, "--console-socket"]).args([socket.path()]);
    create.args(["--bundle".as_ref(), bundle.dir()]).run().succeeded_silently();
    let mut terminal = socket.receive();
    sandbox.runj(["start", &id]).run().succeeded_silently();
    terminal.write("hostname; echo $((6 * 7))\n");
    terminal.expect("demo\r\n");
    terminal.expect("42\r\n");
    terminal.write("exit\n");
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
