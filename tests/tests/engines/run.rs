//! `podman run` and what is known of the container afterwards.

use std::fs;

use runj_tests::engines::Engine;

use crate::case::cases;

cases![
    it_prints_and_returns_the_status,
    a_missing_program_is_127,
    a_program_that_may_not_be_executed_is_126,
    in_the_background_it_logs,
    its_input_ends,
    what_the_container_is_given,
    a_volume_is_shared,
    one_that_has_ended_starts_again,
    podman_knows_the_runtime,
];

fn it_prints_and_returns_the_status(engine: &Engine<'_>) {
    let outcome = engine.run(&["--name", "c"], &["sh", "-c", "echo out; echo err >&2; exit 7"]);
    let outcome = outcome.run();
    assert_eq!(outcome.code_is(7), "out\n");
    assert_eq!(outcome.stderr(), "err\n");
    assert_eq!(engine.exit_status("c"), "7");
    assert_eq!(engine.run(&["--rm"], &["echo", "again"]).run().ok(), "again\n");
}

fn a_missing_program_is_127(engine: &Engine<'_>) {
    let outcome = engine.run(&["--rm"], &["no-such-program"]).run();
    outcome.code_is(127);
    let message = outcome.stderr();
    assert!(message.contains("executable file not found in $PATH"), "{message}");
}

fn a_program_that_may_not_be_executed_is_126(engine: &Engine<'_>) {
    for program in ["/etc/passwd", "/etc"] {
        let outcome = engine.run(&["--rm"], &[program]).run();
        outcome.code_is(126);
        assert!(outcome.stderr().contains("permission denied"), "{}", outcome.stderr());
    }
}

fn in_the_background_it_logs(engine: &Engine<'_>) {
    engine.detached("c", &["sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!(engine.exit_status("c"), "3");
    let logs = engine.podman(["logs", "c"]).run();
    assert_eq!((logs.ok().as_str(), logs.stderr().as_str()), ("out\n", "err\n"));
    engine.podman(["rm", "c"]).run().ok();
    engine.podman(["inspect", "--type", "container", "c"]).run().code_is(125);
}

fn its_input_ends(engine: &Engine<'_>) {
    let file = engine.path().join("input");
    fs::write(&file, "a\nb\n").unwrap();
    let cat = engine.run(&["--rm", "--interactive"], &["cat"]);
    assert_eq!(cat.stdin(fs::File::open(file).unwrap()).run().ok(), "a\nb\n");
}

fn what_the_container_is_given(engine: &Engine<'_>) {
    let flags = [
        "--rm",
        "--hostname=inside",
        "--env=A=b c",
        "--user=12:34",
        "--workdir=/tmp",
        "--umask=027",
        "--ulimit=nofile=100:200",
        "--ulimit=nproc=1000:1000",
    ];
    let line = "hostname; echo \"$A\"; id -u; id -g; pwd; umask; ulimit -n";
    let said = engine.run(&flags, &["sh", "-c", line]).run().ok();
    assert_eq!(said, "inside\nb c\n12\n34\n/tmp\n0027\n100\n");
}

fn a_volume_is_shared(engine: &Engine<'_>) {
    let dir = engine.path().join("shared");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("from-host"), "host").unwrap();
    let volume = |options: &str| format!("--volume={}:/shared{options}", dir.display());
    let line = "cat /shared/from-host; echo inside > /shared/from-inside";
    let said = engine.run(&["--rm", &volume("")], &["sh", "-c", line]).run().ok();
    assert_eq!(said, "host");
    assert_eq!(fs::read_to_string(dir.join("from-inside")).unwrap(), "inside\n");
    let outcome = engine.run(&["--rm", &volume(":ro")], &["touch", "/shared/x"]).run();
    assert!(outcome.code_is(1).is_empty());
    assert!(!dir.join("x").exists());
}

fn one_that_has_ended_starts_again(engine: &Engine<'_>) {
    engine.detached("c", &["sh", "-c", "echo again"]);
    assert_eq!(engine.exit_status("c"), "0");
    engine.podman(["start", "c"]).run().ok();
    engine.wait_logged("c", "again\nagain\n");
}

fn podman_knows_the_runtime(engine: &Engine<'_>) {
    let format = "{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}";
    let said = engine.podman(["info", "--format", format]).run().ok();
    assert!(said.starts_with("runj runj version "), "{said}");
    assert!(said.contains("spec: 1.3.0"), "{said}");
}
