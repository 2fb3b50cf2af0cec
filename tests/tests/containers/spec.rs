//! `runj spec`: a configuration to start from.

use std::fs;

use runj_tests::{Bundle, ConsoleSocket, Sandbox};
use serde_json::Value;

use crate::case::cases;

cases![what_it_writes_runs, what_is_there_is_not_overwritten: Nothing];

fn what_it_writes_runs(sandbox: &Sandbox<'_>) {
    let empty = sandbox.path().join("empty");
    fs::create_dir(&empty).unwrap();
    sandbox.runj(["spec"]).current_dir(&empty).run().succeeded_silently();
    let text = fs::read(empty.join("config.json")).unwrap();
    let spec: Value = serde_json::from_slice(&text).unwrap();

    assert_is_a_shell(sandbox, &bundle_of(sandbox, &spec), "runj");
}

/// A bundle with that configuration, and the host's programs in its root.
pub(crate) fn bundle_of(sandbox: &Sandbox<'_>, config: &Value) -> Bundle {
    let set = |bundle: Bundle, (name, value): (&String, &Value)| match value {
        Value::Array(mounts) if name == "mounts" => {
            mounts.iter().fold(bundle, |bundle, mount| bundle.mount(mount.clone()))
        }
        other => bundle.set(name, other.clone()),
    };
    config.as_object().unwrap().iter().fold(sandbox.bundle(), set)
}

/// The container is a shell on a terminal, on a host of that name.
pub(crate) fn assert_is_a_shell(sandbox: &Sandbox<'_>, bundle: &Bundle, hostname: &str) {
    let socket = ConsoleSocket::listen(sandbox.path().join("console.sock"));
    let id = sandbox.id();
    let create = sandbox.runj(["create", &id, "--console-socket"]).args([socket.path()]);
    create.args(["--bundle".as_ref(), bundle.dir()]).run().succeeded_silently();
    let mut terminal = socket.receive();
    sandbox.runj(["start", &id]).run().succeeded_silently();
    terminal.write("hostname; echo $((6 * 7))\n");
    terminal.expect(&format!("{hostname}\r\n"));
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
