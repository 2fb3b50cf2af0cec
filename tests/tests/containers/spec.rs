//! `runj spec`: a configuration to start from.

use std::fs;

use runj_tests::{ConsoleSocket, Sandbox};
use serde_json::Value;

use crate::case::cases;

cases![what_it_writes_runs, what_is_there_is_not_overwritten: Nothing];

fn what_it_writes_runs(sandbox: &Sandbox<'_>) {
    let empty = sandbox.path().join("empty");
    fs::create_dir(&empty).unwrap();
    sandbox.runj(["spec"]).current_dir(&empty).run().succeeded_silently();
    let text = fs::read(empty.join("config.json")).unwrap();
    let spec: Value = serde_json::from_slice(&text).unwrap();

    // With the host's programs in its root.
    let mut bundle = sandbox.bundle();
    for (name, value) in spec.as_object().unwrap() {
        bundle = match value {
            Value::Array(mounts) if name == "mounts" => {
                mounts.iter().fold(bundle, |bundle, mount| bundle.mount(mount.clone()))
            }
            other => bundle.set(name, other.clone()),
        };
    }
    let socket = ConsoleSocket::listen(sandbox.path().join("console.sock"));
    let id = sandbox.id();
    let create = sandbox.runj(["create", &id, "--console-socket"]).args([socket.path()]);
    create.args(["--bundle".as_ref(), bundle.dir()]).run().succeeded_silently();
    let mut terminal = socket.receive();
    sandbox.runj(["start", &id]).run().succeeded_silently();
    terminal.write("hostname; echo $((6 * 7))\n");
    terminal.expect("runj\r\n");
    terminal.expect("42\r\n");
    terminal.write("exit\n");
}

fn what_is_there_is_not_overwritten(sandbox: &Sandbox<'_>) {
    let file = sandbox.path().join("config.json");
    fs::write(&file, "mine").unwrap();
    let message = sandbox.runj(["spec", "--bundle"]).args([sandbox.path()]).run().refused();
    assert!(message.starts_with(&format!("--bundle: {file:?}: ")), "{message}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
