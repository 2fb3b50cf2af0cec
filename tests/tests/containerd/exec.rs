//! More processes in a container.

use nix::sys::signal::Signal;
use runj_tests::Terminal;
use runj_tests::containerd::Engine;

use crate::case::cases;

cases![
    it_prints_and_returns_the_status,
    it_ends_when_its_input_does,
    it_can_have_a_terminal,
    many_run_at_once,
    a_missing_program_is_said_to_be,
    it_is_refused_in_a_container_that_has_ended,
    it_can_be_killed,
];

fn it_prints_and_returns_the_status(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let command = ["sh", "-c", "echo out; echo err >&2; exit 5"];
    let outcome = engine.ctr(["task", "exec", "--exec-id", "e", &id]).args(command).run();
    assert_eq!(outcome.code_is(5), "out\n");
    assert_eq!(outcome.stderr(), "err\n");
    let outcome = engine.ctr(["task", "exec", "--exec-id", "e", "--cwd", "/tmp", &id, "pwd"]).run();
    assert_eq!(outcome.code_is(0), "/tmp\n");
    engine.remove(&id);
}

fn it_ends_when_its_input_does(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let exec = engine.ctr(["task", "exec", "--exec-id", "e", &id, "cat"]);
    assert_eq!(crate::output::typed(exec, "a\nb\n"), "a\nb\n");
    engine.remove(&id);
}

fn it_can_have_a_terminal(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let (mut terminal, slave) = Terminal::open();
    let args = ["task", "exec", "--tty", "--exec-id", "e", &id, "sh"];
    let running = engine.ctr(args).on_terminal(&slave).spawn();
    terminal.expect("# ");
    terminal.write("tty; exit 6\n");
    terminal.expect("/dev/pts/");
    running.wait().code_is(6);
    drop(slave);
    engine.remove(&id);
}

fn many_run_at_once(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    // Of these statuses none is ctr's own.
    let running: Vec<_> = (10..25)
        .map(|number| {
            let script = format!("echo {number}; exit {number}");
            let exec_id = format!("e{number}");
            let args = ["task", "exec", "--exec-id", &exec_id, &id, "sh", "-c", &script];
            (number, engine.ctr(args).spawn())
        })
        .collect();
    for (number, running) in running {
        assert_eq!(running.wait().code_is(number), format!("{number}\n"));
    }
    engine.remove(&id);
}

fn a_missing_program_is_said_to_be(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let outcome = engine.ctr(["task", "exec", "--exec-id", "e", &id, "no-such-program"]).run();
    assert_ne!(outcome.code(), 0);
    let message = outcome.stderr();
    assert!(message.contains("executable file not found in $PATH"), "{message}");
    engine.remove(&id);
}

fn it_is_refused_in_a_container_that_has_ended(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["true"]);
    engine.wait_status(&id, "STOPPED");
    let outcome = engine.ctr(["task", "exec", "--exec-id", "e", &id, "true"]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("it is stopped"), "{}", outcome.stderr());
    engine.remove(&id);
}

fn it_can_be_killed(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let exec = engine
        .ctr(["task", "exec", "--exec-id", "e", &id, "sh", "-c", "echo up; exec sleep 1000"])
        .spawn();
    runj_tests::eventually("it to run", || (exec.stdout() == "up\n").then_some(()));
    engine.ctr(["task", "kill", "--exec-id", "e", "--signal", "SIGUSR1", &id]).run().code_is(0);
    // Its number is not the same everywhere.
    exec.wait().code_is(128 + Signal::SIGUSR1 as i32);
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
}
