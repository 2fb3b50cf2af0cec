//! Signals, and the ends that they bring.

use runj_tests::engines::Engine;

use crate::case::cases;

cases![
    stop_ends_a_container,
    stop_kills_one_that_does_not_listen,
    kill_sends_any_signal,
    rm_by_force_ends_a_container,
];

fn stop_ends_a_container(engine: &Engine<'_>) {
    engine.detached("c", &["sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done"]);
    engine.wait_logged("c", "up");
    engine.podman(["stop", "c"]).run().ok();
    assert_eq!(engine.exit_status("c"), "9");
}

fn stop_kills_one_that_does_not_listen(engine: &Engine<'_>) {
    engine.detached("c", &["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"]);
    engine.wait_logged("c", "up");
    engine.podman(["stop", "--time=1", "c"]).run().ok();
    assert_eq!(engine.exit_status("c"), "137");
}

fn kill_sends_any_signal(engine: &Engine<'_>) {
    let trap = "trap 'echo got it' USR1; echo up; while :; do sleep 0.1; done";
    engine.detached("c", &["sh", "-c", trap]);
    engine.wait_logged("c", "up");
    engine.podman(["kill", "--signal=USR1", "c"]).run().ok();
    engine.wait_logged("c", "got it");
    engine.podman(["kill", "c"]).run().ok();
    assert_eq!(engine.exit_status("c"), "137");
}

fn rm_by_force_ends_a_container(engine: &Engine<'_>) {
    engine.detached("c", &["sleep", "1000"]);
    engine.podman(["rm", "c"]).run().code_is(2);
    engine.podman(["rm", "--force", "--time=0", "c"]).run().ok();
    engine.podman(["inspect", "--type", "container", "c"]).run().code_is(125);
}
