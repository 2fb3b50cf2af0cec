//! More processes in a container.

use runj_tests::engines::Engine;
use runj_tests::eventually;

use crate::case::cases;

cases![
    it_prints_and_returns_the_status,
    in_the_background,
    its_errors_have_statuses,
    it_is_given_what_is_asked_for,
];

fn it_prints_and_returns_the_status(engine: &Engine<'_>) {
    engine.detached("c", &["sleep", "1000"]);
    let outcome = engine.podman(["exec", "c", "sh", "-c", "echo out; echo err >&2; exit 5"]).run();
    assert_eq!(outcome.code_is(5), "out\n");
    assert_eq!(outcome.stderr(), "err\n");
}

fn in_the_background(engine: &Engine<'_>) {
    engine.detached("c", &["sleep", "1000"]);
    engine.podman(["exec", "--detach", "c", "touch", "/tmp/made"]).run().ok();
    eventually("the file", || {
        let list = engine.podman(["exec", "c", "ls", "/tmp"]).run().ok();
        (list == "made\n").then_some(())
    });
}

fn its_errors_have_statuses(engine: &Engine<'_>) {
    engine.detached("c", &["sleep", "1000"]);
    for (program, status) in [("no-such-program", 127), ("/etc/passwd", 126)] {
        engine.podman(["exec", "c", program]).run().code_is(status);
        assert_ne!(engine.podman(["exec", "--detach", "c", program]).run().code(), 0);
    }
    // And the container lives.
    engine.podman(["exec", "c", "true"]).run().ok();
}

fn it_is_given_what_is_asked_for(engine: &Engine<'_>) {
    engine.detached("c", &["sleep", "1000"]);
    let flags = ["exec", "--user=12:34", "--workdir=/tmp", "--env=A=b c", "c"];
    let line = ["sh", "-c", "id -u; id -g; pwd; echo \"$A\""];
    assert_eq!(engine.podman(flags).args(line).run().ok(), "12\n34\n/tmp\nb c\n");
}
