//! Creation fails at one step or another: nothing is left, and the next one succeeds.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use runj_tests::containerd::Engine;
use serde_json::{Value, json};

use crate::case::cases;

cases![
    a_configuration_that_runj_refuses,
    a_root_that_is_missing,
    each_step_of_create_can_fail,
    a_hook_that_fails,
    what_runj_has_nothing_for,
];

fn a_configuration_that_runj_refuses(engine: &mut Engine<'_>) {
    let id = engine.id();
    let refused = ["--mount", "type=no-such-fs,src=x,dst=/x"];
    let outcome = engine.run(&refused, &id, &["true"]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("config.json: mounts["), "{}", outcome.stderr());
    engine.ctr(["container", "rm", &id]).run();
    engine.assert_nothing_left();
    engine.run(&["--rm"], &id, &["true"]).run().code_is(0);
}

fn a_root_that_is_missing(engine: &mut Engine<'_>) {
    let id = engine.id();
    let config = json!({
        "ociVersion": "1.0.2",
        "process": { "args": ["true"], "cwd": "/" },
        "root": { "path": "/no/such/root" },
    });
    let file = engine.path().join("config.json");
    fs::write(&file, Value::to_string(&config)).unwrap();
    let file = file.to_str().unwrap();
    let outcome = engine.ctr(["run", "--runtime", "wtf.sbk.runj.v1", "--config", file, &id]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("/no/such/root"), "{}", outcome.stderr());
    engine.ctr(["container", "rm", &id]).run();
}

/// From the shim's first step to the last one of runj's. The same id is free after each.
fn each_step_of_create_can_fail(engine: &mut Engine<'_>) {
    let path = |name: &str| engine.path().join(name).to_str().unwrap().to_owned();
    // No other engine's jails have these.
    let mut hasher = DefaultHasher::new();
    engine.path().hash(&mut hasher);
    let [a, b, ..] = hasher.finish().to_be_bytes();
    let addresses = [format!("127.{}.{b}.2", a | 128), format!("127.{}.{b}.3", a | 128)];
    let addresses = json!({ "network": { "ipv4": { "addr": addresses } } });
    fs::write(path("addresses.json"), addresses.to_string()).unwrap();
    let addresses = ["--runtime-config-path", &path("addresses.json")];
    let missing = ["--runtime-config-path", &path("missing.json")];
    let logger = ["--log-uri", "binary:///no/such/logger"];
    let source = ["--mount", "type=bind,src=/no/such/source,dst=/x,options=rbind:ro"];

    let first = engine.id();
    let holder = engine.run(&[&["--detach"][..], &addresses].concat(), &first, &["sleep", "1000"]);
    holder.run().code_is(0);
    let id = engine.id();
    let steps: [(&str, &[&str], &[&str], &str); 5] = [
        ("the extension", &missing, &["true"], "missing.json"),
        ("the streams", &logger, &["true"], "/no/such/logger"),
        ("the mounts", &source, &["true"], "/no/such/source"),
        ("the jail", &addresses, &["true"], "EADDRINUSE"),
        ("the process", &[], &["/no/such/program"], "executable file not found in $PATH"),
    ];
    for (step, flags, command, message) in steps {
        let outcome = engine.run(flags, &id, command).run();
        assert_ne!(outcome.code(), 0, "{step}");
        assert!(outcome.stderr().contains(message), "{step}: {}", outcome.stderr());
        assert!(!engine.bundle(&id).exists(), "{step}");
        assert_eq!(engine.mounts_below(&engine.bundle(&id)), Vec::<PathBuf>::new(), "{step}");
        // 1.6 deletes it by itself.
        engine.ctr(["container", "rm", &id]).run();
    }
    engine.remove(&first);
    engine.assert_nothing_left();
    engine.run(&["--rm"], &id, &["true"]).run().code_is(0);
}

fn a_hook_that_fails(engine: &mut Engine<'_>) {
    let id = engine.id();
    let root = engine.path().join("empty");
    fs::create_dir(&root).unwrap();
    let config = json!({
        "ociVersion": "1.0.2",
        "process": { "args": ["true"], "cwd": "/" },
        "root": { "path": root },
        "hooks": { "createRuntime": [{
            "path": "/bin/sh", "args": ["sh", "-c", "echo no luck >&2; exit 3"],
        }] },
    });
    let file = engine.path().join("config.json");
    fs::write(&file, config.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let outcome = engine.ctr(["run", "--runtime", "wtf.sbk.runj.v1", "--config", file, &id]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("no luck"), "{}", outcome.stderr());
    engine.ctr(["container", "rm", &id]).run();
    engine.assert_nothing_left();
}

fn what_runj_has_nothing_for(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let outcome = engine.ctr(["task", "checkpoint", &id]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("not supported by runj"), "{}", outcome.stderr());
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
}
