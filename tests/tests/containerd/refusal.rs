//! Creation fails at one step or another: nothing is left, and the next one succeeds.

use std::fs;

use runj_tests::containerd::Engine;
use serde_json::{Value, json};

use crate::case::cases;

cases![a_configuration_that_runj_refuses, a_root_that_is_missing, what_runj_has_nothing_for];

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

fn what_runj_has_nothing_for(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let outcome = engine.ctr(["task", "checkpoint", &id]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("not supported by runj"), "{}", outcome.stderr());
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
}
