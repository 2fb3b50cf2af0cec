//! What containers use: `runj events` and `runj ps`.

use runj_tests::{Bundle, Sandbox, eventually};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    what_is_used_is_told,
    limits_are_told: Limits,
    events_go_on_until_the_end,
    events_of_what_does_not_run,
    the_processes_are_listed,
    a_created_container_has_one_process,
    arguments_for_ps,
];

fn stats(sandbox: &Sandbox<'_>, id: &str) -> Value {
    let event = sandbox.runj(["events", "--stats", id]).run().json();
    assert_eq!((&event["type"], &event["id"]), (&json!("stats"), &json!(id)));
    event["data"].clone()
}

fn what_is_used_is_told(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().probe(["burn", "600"]));
    let used = |stats: &Value| stats["cpu"]["usage"]["total"].as_u64().unwrap();
    let first = eventually("some time of the processor", || {
        let stats = stats(sandbox, container.id());
        (used(&stats) > 50_000_000).then_some(stats)
    });
    assert_eq!(first["pids"], json!({ "current": 1 }));
    assert!(first["memory"]["usage"]["usage"].as_u64().unwrap() > 100_000, "{first}");
    assert_eq!(first["memory"]["usage"].get("limit"), None);
    let usage = &first["cpu"]["usage"];
    let parts = usage["user"].as_u64().unwrap() + usage["kernel"].as_u64().unwrap();
    assert!(used(&first) >= parts, "{first}");
    eventually("more of it", || {
        (used(&stats(sandbox, container.id())) > used(&first)).then_some(())
    });
    let exec = container.exec(["--detach"], Bundle::probe_command(["wait"])).run();
    exec.succeeded();
    assert_eq!(stats(sandbox, container.id())["pids"], json!({ "current": 2 }));
}

fn limits_are_told(sandbox: &Sandbox<'_>) {
    let resources = json!({ "pids": { "limit": 99 }, "memory": { "limit": 1 << 30 } });
    let container = sandbox.start(&sandbox.bundle().set("linux.resources", resources));
    let stats = stats(sandbox, container.id());
    assert_eq!(stats["pids"], json!({ "current": 1, "limit": 99 }));
    assert_eq!(stats["memory"]["usage"]["limit"], 1 << 30);
    if cfg!(target_os = "freebsd") {
        assert_eq!(stats["racct"]["maxproc"], 1, "{stats}");
    }
}

fn events_go_on_until_the_end(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let events = sandbox.runj(["events", "--interval", "10ms", container.id()]).spawn();
    let lines = || events.stdout().lines().count();
    eventually("three lines", || (lines() >= 3).then_some(()));
    container.kill("KILL");
    let text = events.wait().succeeded();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["type"], "stats");
    }
}

fn events_of_what_does_not_run(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().args(["true"]));
    container.wait_stopped();
    for flags in [&[][..], &["--stats"]] {
        let message = sandbox.runj(["events"]).args(flags).args([container.id()]).run().refused();
        assert_eq!(message, format!("container not running: {} is stopped", container.id()));
        sandbox.runj(["events"]).args(flags).args(["nowhere"]).run().refused();
    }
    for wrong in ["0", "5", "-1s", "0s", "soon"] {
        let interval = format!("--interval={wrong}");
        let message = sandbox.runj(["events", &interval, container.id()]).run().refused();
        assert!(message.contains("a time such as 5s"), "{message}");
    }
}

fn the_processes_are_listed(sandbox: &Sandbox<'_>) {
    let container =
        sandbox.start(&sandbox.bundle().set("process.user", json!({ "uid": 7, "gid": 7 })));
    assert_eq!(container.wait_line(0)["ready"], true);
    let pid_file = sandbox.path().join("pid");
    let flags = ["--detach", "--user", "0", "--pid-file", pid_file.to_str().unwrap()];
    container.exec(flags, ["sleep", "1000"]).run().succeeded_silently();
    let exec: i32 = std::fs::read_to_string(&pid_file).unwrap().parse().unwrap();
    let mut expected = [container.pid(), exec];
    expected.sort_unstable();
    let ps = |flags: &[&str]| sandbox.runj(["ps"]).args(flags).args([container.id()]).run();
    let mut pids: Vec<i32> = serde_json::from_value(ps(&["--format", "json"]).json()).unwrap();
    pids.sort_unstable();
    assert_eq!(pids, expected);

    let table = ps(&[]).succeeded();
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["UID", "PID", "PPID", "THR", "RSS", "TIME", "CMD"]);
    let row = |pid: i32| rows.iter().find(|row| row[1] == pid.to_string()).unwrap();
    assert_eq!(row(container.pid())[0], "7");
    assert!(row(container.pid())[6].ends_with("runj-probe"), "{table}");
    assert_eq!((row(exec)[0], &row(exec)[6..]), ("0", &["sleep", "1000"][..]));

    container.kill("KILL");
    container.wait_stopped();
    let message = ps(&[]).refused();
    assert_eq!(message, format!("container not running: {} is stopped", container.id()));
}

fn a_created_container_has_one_process(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&sandbox.bundle());
    let pids = sandbox.runj(["ps", "-f", "json", container.id()]).run().json();
    assert_eq!(pids, json!([container.pid()]));
}

fn arguments_for_ps(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&sandbox.bundle());
    let ps = |arguments: &[&str]| sandbox.runj(["ps", container.id()]).args(arguments).run();
    assert_eq!(ps(&["-ef"]).succeeded().lines().count(), 2);
    for arguments in [&["aux"][..], &["-o", "pid"], &["-f"], &["-h"], &["--format", "json"]] {
        let message = ps(arguments).refused();
        let expected = format!("{:?} is not allowed: runj does not call ps(1)", arguments[0]);
        assert!(message.starts_with(&expected), "{message}");
    }
}
