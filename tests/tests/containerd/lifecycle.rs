//! A container's life: run, kill, delete, and what is to be seen of it meanwhile.

use runj_tests::containerd::Engine;
use runj_tests::{eventually, is_stopped};
use serde_json::Value;

use crate::case::cases;

cases![
    run_prints_and_returns_the_status,
    run_detached_goes_on,
    null_io_is_no_obstacle,
    #[cfg(target_os = "linux")]
    linux_s_default_mounts_become_a_jail_s,
    #[cfg(target_os = "freebsd")]
    ctr_s_mounts_are_made_and_undone,
    kill_ends_it_with_the_signal_s_status,
    kill_reaches_all_processes,
    what_init_leaves_behind_is_killed,
    delete_is_refused_while_it_runs,
    rm_by_force_removes_it,
    a_container_that_never_started_can_be_removed,
    ps_lists_all_processes,
    metrics_are_of_the_container,
    pause_stops_it_and_resume_goes_on,
    events_come_in_order,
];

fn run_prints_and_returns_the_status(engine: &mut Engine<'_>) {
    let command = ["sh", "-c", "echo out; echo err >&2; exit 42"];
    let outcome = engine.run(&["--rm"], &engine.id(), &command).run();
    assert_eq!(outcome.code_is(42), "out\n");
    assert_eq!(outcome.stderr(), "err\n");
}

fn run_detached_goes_on(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
}

fn null_io_is_no_obstacle(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine
        .run(&["--detach", "--null-io"], &id, &["sh", "-c", "cat; echo x; exit 3"])
        .run()
        .code_is(0);
    engine.wait_status(&id, "STOPPED");
    engine.remove(&id);
}

/// On FreeBSD `ctr` gives other ones.
#[cfg(target_os = "linux")]
fn linux_s_default_mounts_become_a_jail_s(engine: &mut Engine<'_>) {
    let script = "echo x > /dev/null && cut -d' ' -f2,3 /proc/mounts > /dev/fd/1";
    let outcome = engine.run(&["--rm"], &engine.id(), &["sh", "-c", script]).run();
    let mounts = outcome.code_is(0);
    let on = |path: &str| mounts.lines().any(|line| line.split(' ').next() == Some(path));
    assert!(on("/proc") && on("/dev") && on("/dev/fd") && on("/run"), "{mounts}");
    assert!(!on("/sys") && !on("/dev/shm") && !on("/dev/mqueue"), "{mounts}");
}

/// The root's nullfs, and what `ctr` gives a container on FreeBSD; elsewhere mounts in a container
/// are not seen on the host.
#[cfg(target_os = "freebsd")]
fn ctr_s_mounts_are_made_and_undone(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let root = engine.bundle(&id).join("rootfs");
    let mounts = engine.mounts_below(&root);
    assert_eq!(mounts, ["", "dev", "dev/fd"].map(|on| root.join(on)));
    engine.remove(&id);
    assert!(engine.mounts_below(&root).is_empty());
}

fn kill_ends_it_with_the_signal_s_status(engine: &mut Engine<'_>) {
    for (signal, status) in [("SIGTERM", 143), ("9", 137)] {
        let id = engine.id();
        let running = engine.run(&["--rm"], &id, &["sleep", "1000"]).spawn();
        eventually("it to run", || (engine.status(&id) == "RUNNING").then_some(()));
        engine.ctr(["task", "kill", "--signal", signal, &id]).run().code_is(0);
        running.wait().code_is(status);
    }
}

fn kill_reaches_all_processes(engine: &mut Engine<'_>) {
    let id = engine.id();
    let script = "trap '' TERM; sleep 1000 & sleep 1000 & wait; echo both ended; sleep 1000";
    let running = engine.run(&["--rm"], &id, &["sh", "-c", script]).spawn();
    eventually("three processes", || (pids(engine, &id).len() == 3).then_some(()));
    // The shell ignores it, and so do its children, whom it cannot ignore SIGKILL for.
    engine.ctr(["task", "kill", "--all", "--signal", "SIGTERM", &id]).run().code_is(0);
    assert_eq!(pids(engine, &id).len(), 3);
    engine.ctr(["task", "kill", "--all", "--signal", "SIGKILL", &id]).run().code_is(0);
    running.wait().code_is(137);
}

fn what_init_leaves_behind_is_killed(engine: &mut Engine<'_>) {
    let script = "sleep 1000 > /dev/null 2>&1 & echo $!";
    engine.run(&["--rm"], &engine.id(), &["sh", "-c", script]).run().code_is(0);
}

fn delete_is_refused_while_it_runs(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sleep", "1000"]);
    let refused = engine.ctr(["task", "rm", &id]).run();
    assert_ne!(refused.code(), 0);
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
    let refused = engine.ctr(["task", "kill", &id]).run();
    assert!(refused.stderr().contains("not found"), "{}", refused.stderr());
}

fn rm_by_force_removes_it(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sh", "-c", "trap '' TERM; sleep 1000 & wait"]);
    let outcome = engine.ctr(["task", "rm", "--force", &id]).run();
    assert!(outcome.stderr().contains("137") || outcome.code() == 0, "{}", outcome.stderr());
    engine.ctr(["container", "rm", &id]).run().code_is(0);
}

/// It is created, and then its program cannot be executed.
fn a_container_that_never_started_can_be_removed(engine: &mut Engine<'_>) {
    let id = engine.id();
    let outcome = engine.run(&["--detach"], &id, &["no-such-program"]).run();
    assert_ne!(outcome.code(), 0);
    let message = outcome.stderr();
    assert!(message.contains("executable file not found in $PATH"), "{message}");
    engine.ctr(["task", "rm", "--force", &id]).run();
    engine.ctr(["container", "rm", &id]).run();
}

/// The pids that `ctr task ps` lists, with what it says of each.
fn pids(engine: &Engine<'_>, id: &str) -> Vec<(i32, String)> {
    let list = engine.ctr(["task", "ps", id]).run();
    list.stdout()
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(char::is_whitespace))
        .map(|(pid, info)| (pid.parse().unwrap(), info.trim().to_owned()))
        .collect()
}

fn ps_lists_all_processes(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sh", "-c", "sleep 1000 & wait"]);
    let exec = engine.ctr(["task", "exec", "--exec-id", "e1", &id, "sleep", "1000"]).spawn();
    // Which one is the exec's is known once its program runs.
    let listed = eventually("three processes and one that is known", || {
        let pids = pids(engine, &id);
        let known = pids.iter().filter(|(_, info)| info.contains("e1")).count();
        (pids.len() == 3 && known == 1).then_some(pids)
    });
    let init = engine.pid(&id);
    assert!(listed.iter().any(|(pid, info)| *pid == init && info == "-"), "{listed:?}");
    engine.remove(&id);
    exec.wait().code_is(137);
}

fn metrics_are_of_the_container(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sh", "-c", "sleep 1000 & while :; do :; done"]);
    let metric = |name: &str| -> u64 {
        let table = engine.ctr(["task", "metrics", &id]).run().code_is(0);
        let line = table.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().parse().unwrap()
    };
    assert_eq!(metric("pids.current"), 2);
    assert!(metric("memory.usage_in_bytes") > 4096);
    let before = metric("cpuacct.usage");
    eventually("time on the processor", || (metric("cpuacct.usage") > before).then_some(()));
    engine.remove(&id);
}

fn pause_stops_it_and_resume_goes_on(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.detached(&id, &["sh", "-c", "while :; do sleep 0.01; done"]);
    let pid = engine.pid(&id);
    engine.ctr(["task", "pause", &id]).run().code_is(0);
    assert_eq!(engine.status(&id), "PAUSED");
    eventually("it to stop", || is_stopped(pid).then_some(()));
    let twice = engine.ctr(["task", "pause", &id]).run();
    assert_ne!(twice.code(), 0);
    let exec = engine.ctr(["task", "exec", "--exec-id", "e", &id, "true"]).run();
    assert!(exec.stderr().contains("it is paused"), "{}", exec.stderr());
    engine.ctr(["task", "resume", &id]).run().code_is(0);
    assert_eq!(engine.status(&id), "RUNNING");
    eventually("it to go on", || (!is_stopped(pid)).then_some(()));
    // Paused, it can be killed as well.
    engine.ctr(["task", "pause", &id]).run().code_is(0);
    engine.ctr(["task", "kill", "--signal", "SIGKILL", &id]).run().code_is(0);
    engine.wait_status(&id, "STOPPED");
    engine.remove(&id);
}

fn events_come_in_order(engine: &mut Engine<'_>) {
    let events = engine.ctr(["events"]).spawn();
    // It does not say when it listens: something is done until it has heard of it.
    eventually("events", || {
        engine.ctr(["namespace", "label", "default", "a=b"]).run();
        events.stdout().contains("/namespaces/update").then_some(())
    });
    let id = engine.id();
    engine.run(&["--rm"], &id, &["sh", "-c", "exit 3"]).run().code_is(3);
    let topics = eventually("the deletion of the container", || {
        let text = events.stdout();
        text.contains("/containers/delete").then_some(text)
    });
    events.signal(runj_jail::Signal::TERM);
    events.wait();
    let tasks: Vec<_> = topics.lines().filter(|line| line.contains(" /tasks/")).collect();
    let topic =
        |line: &&str| line.split(" /tasks/").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let order: Vec<_> = tasks.iter().map(topic).collect();
    assert_eq!(order, ["create", "start", "exit", "delete"], "{topics}");
    let event =
        |line: &str| -> Value { serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap() };
    let exit = event(tasks[2]);
    assert_eq!(
        (exit["container_id"].as_str(), exit["id"].as_str()),
        (Some(id.as_str()), Some(id.as_str()))
    );
    assert_eq!(exit["exit_status"], 3);
    assert_eq!(event(tasks[3])["exit_status"], 3);
}
