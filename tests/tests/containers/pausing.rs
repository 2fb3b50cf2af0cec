//! Pausing containers.

use std::thread;
use std::time::Duration;

use runj_tests::{Bundle, Container, Sandbox, eventually};

use crate::case::cases;

cases![
    a_paused_container_stands_still,
    a_created_container_can_be_paused,
    what_does_not_stop_is_not_called_paused,
    only_what_fits_is_paused,
    nothing_runs_in_a_paused_container,
    a_paused_container_is_killed,
    a_paused_container_is_deleted_by_force_only,
];

fn counted(container: &Container<'_>) -> usize {
    container.output().lines().count()
}

fn counts_on(container: &Container<'_>) {
    let before = counted(container);
    eventually("it to go on", || (counted(container) > before).then_some(()));
}

fn stands_still(container: &Container<'_>) {
    let before = counted(container);
    // It would count some fifty times.
    thread::sleep(Duration::from_millis(250));
    assert_eq!(counted(container), before);
}

fn a_paused_container_stands_still(sandbox: &Sandbox<'_>) {
    // Two of them, of which one is not the container's own process.
    let count = Bundle::probe_command(["count"]).join(" ");
    let container = sandbox.start(&sandbox.bundle().shell(&format!("{count} & {count}")));
    counts_on(&container);
    container.verb("pause").succeeded_silently();
    assert_eq!(container.status(), "paused");
    let list = sandbox.runj(["list", "--format", "json"]).run().json();
    assert_eq!(list[0]["status"], "paused");
    assert!(container.state()["pid"].is_number());
    stands_still(&container);
    container.verb("resume").succeeded_silently();
    assert_eq!(container.status(), "running");
    counts_on(&container);
}

fn a_created_container_can_be_paused(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&sandbox.bundle().probe(["count"]));
    container.verb("pause").succeeded_silently();
    assert_eq!(container.status(), "paused");
    let message = container.verb("start").refused();
    assert!(message.contains("it is paused, not created"), "{message}");
    container.verb("resume").succeeded_silently();
    assert_eq!(container.status(), "created");
    container.start();
    counts_on(&container);
}

fn what_does_not_stop_is_not_called_paused(sandbox: &Sandbox<'_>) {
    // They make each other go on: whether all can be stopped is a matter of luck.
    let others = "for i in 1 2 3 4; do (while :; do kill -CONT 0; done) & done";
    let count = Bundle::probe_command(["count"]).join(" ");
    let container = sandbox.start(&sandbox.bundle().shell(&format!("{others}; exec {count}")));
    counts_on(&container);
    let paused = container.verb("pause");
    if container.status() == "paused" {
        paused.succeeded_silently();
        stands_still(&container);
        container.verb("resume").succeeded_silently();
    } else {
        let message = paused.refused();
        assert!(message.contains("was not stopped within 10 seconds"), "{message}");
        assert_eq!(container.status(), "running");
    }
    counts_on(&container);
}

fn only_what_fits_is_paused(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let refused = |verb: &str, status: &str, expected: &str| {
        let message = container.verb(verb).refused();
        let id = container.id();
        assert_eq!(
            message,
            format!("cannot {verb} container {id}: it is {status}, not {expected}")
        );
    };
    refused("resume", "running", "paused");
    container.verb("pause").succeeded_silently();
    refused("pause", "paused", "running");
    container.verb("resume").succeeded_silently();
    container.kill("KILL");
    container.wait_stopped();
    refused("pause", "stopped", "running");
    refused("resume", "stopped", "paused");
}

fn nothing_runs_in_a_paused_container(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().probe(["count"]));
    counts_on(&container);
    container.verb("pause").succeeded_silently();
    let message = container.exec([], ["true"]).run().refused();
    assert_eq!(message, format!("container not running: {} is paused", container.id()));
    let message = sandbox.runj(["kill", container.id(), "CONT"]).run().refused();
    assert!(message.contains("runj resume"), "{message}");
    // Any other signal waits.
    container.kill("TERM");
    assert_eq!(container.status(), "paused");
    stands_still(&container);
    container.verb("resume").succeeded_silently();
    container.wait_stopped();
}

fn a_paused_container_is_killed(sandbox: &Sandbox<'_>) {
    for flags in [&[][..], &["--all"]] {
        let container = sandbox.start(&sandbox.bundle());
        container.verb("pause").succeeded_silently();
        let kill = sandbox.runj(["kill"]).args(flags).args([container.id(), "KILL"]);
        kill.run().succeeded_silently();
        container.wait_stopped();
        container.delete();
    }
}

fn a_paused_container_is_deleted_by_force_only(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    container.verb("pause").succeeded_silently();
    let message = container.verb("delete").refused();
    assert!(message.contains("it is paused, not stopped"), "{message}");
    assert_eq!(container.status(), "paused");
    container.delete_by_force();
    sandbox.host().assert_unchanged_since(&before);
}
