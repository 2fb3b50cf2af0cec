//! The shim is killed: containerd cleans up with the shim's own `delete`.

use std::fs;
use std::path::Path;

use runj_jail::Signal;
use runj_tests::containerd::Engine;
use runj_tests::eventually;

use crate::case::cases;

cases![nothing_is_left_when_the_shim_is_killed, nothing_is_left_when_both_are_killed];

/// A container with an exec and a terminal, and the socket of its shim.
fn container(engine: &Engine<'_>, id: &str) -> String {
    engine.detached(id, &["sh", "-c", "sleep 1000 & wait"]);
    engine
        .ctr(["task", "exec", "--detach", "--exec-id", "e1", id, "sleep", "1000"])
        .run()
        .code_is(0);
    let address = fs::read_to_string(engine.bundle(id).join("address")).unwrap();
    let socket = address.strip_prefix("unix://").unwrap().to_owned();
    assert!(Path::new(&socket).exists());
    socket
}

fn nothing_is_left_when_the_shim_is_killed(engine: &mut Engine<'_>) {
    let id = engine.id();
    let socket = container(engine, &id);
    engine.shim(&id).signal(Signal::KILL).unwrap();
    eventually("the bundle to go", || (!engine.bundle(&id).exists()).then_some(()));
    engine.assert_nothing_left();
    assert!(!Path::new(&socket).exists());
    engine.remove(&id);
}

fn nothing_is_left_when_both_are_killed(engine: &mut Engine<'_>) {
    let id = engine.id();
    let socket = container(engine, &id);
    engine.kill_daemon();
    engine.shim(&id).signal(Signal::KILL).unwrap();
    engine.start_daemon();
    eventually("the bundle to go", || (!engine.bundle(&id).exists()).then_some(()));
    engine.assert_nothing_left();
    assert!(!Path::new(&socket).exists());
    engine.remove(&id);
}
