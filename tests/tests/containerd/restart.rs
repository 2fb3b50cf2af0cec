//! containerd goes and comes back.

use runj_tests::containerd::Engine;
use runj_tests::eventually;

use crate::case::cases;

cases![
    a_container_and_an_exec_outlive_it,
    the_status_of_one_that_ended_meanwhile_is_known,
    one_that_writes_meanwhile_is_not_ended_by_it,
];

fn a_container_and_an_exec_outlive_it(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let pid = engine.pid(&id);
    engine
        .ctr(["task", "exec", "--detach", "--exec-id", "e1", &id, "sleep", "1000"])
        .run()
        .code_is(0);
    engine.kill_daemon();
    engine.start_daemon();
    assert_eq!(engine.status(&id), "RUNNING");
    assert_eq!(engine.pid(&id), pid);
    let list = engine.ctr(["task", "ps", &id]).run().code_is(0);
    assert!(list.contains("e1"), "{list}");
    let outcome = engine.ctr(["task", "exec", "--exec-id", "e2", &id, "echo", "again"]).run();
    assert_eq!(outcome.code_is(0), "again\n");
    engine.remove(&id);
}

fn the_status_of_one_that_ended_meanwhile_is_known(engine: &mut Engine<'_>) {
    let id = engine.id();
    let script = "trap 'exit 23' TERM; while :; do sleep 0.01; done";
    engine.detached(&id, &["sh", "-c", script]);
    let process = runj_jail::ProcessId::of(engine.pid(&id)).unwrap().unwrap();
    engine.kill_daemon();
    process.signal(runj_jail::Signal::TERM).unwrap();
    assert!(process.wait(runj_tests::DEADLINE).unwrap());
    engine.start_daemon();
    engine.wait_status(&id, "STOPPED");
    let outcome = engine.ctr(["task", "rm", &id]).run();
    assert!(outcome.stderr().contains("23"), "{}", outcome.stderr());
    engine.ctr(["container", "rm", &id]).run().code_is(0);
}

fn one_that_writes_meanwhile_is_not_ended_by_it(engine: &mut Engine<'_>) {
    let id = engine.id();
    let script = "while :; do echo x; sleep 0.01; done";
    let running = engine.run(&[], &id, &["sh", "-c", script]).spawn();
    eventually("output", || running.stdout().contains('x').then_some(()));
    // The client, which read the output, goes too.
    running.signal(runj_jail::Signal::KILL);
    running.wait();
    engine.kill_daemon();
    engine.start_daemon();
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
}
