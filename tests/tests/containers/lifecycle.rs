//! From create to delete: what each verb does in each state, and how the state is told.

use std::path::PathBuf;

use runj_jail::{Jail, ProcessId, Signal};
use runj_tests::{Bundle, Sandbox, copy_program};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    a_container_from_create_to_delete,
    what_does_not_exist_is_said_not_to,
    an_id_is_given_once,
    an_id_can_be_used_again,
    ids_that_jails_could_not_have_as_names,
    only_a_created_container_starts,
    a_running_container_is_deleted_by_force_only,
    force_deletes_in_every_state,
    a_created_container_is_deleted_without_force,
    a_process_that_dies_before_its_start,
    a_missing_program,
    a_program_that_may_not_be_executed,
    signals_by_name_by_number_and_by_default,
    a_created_container_can_be_killed,
    a_stopped_container_cannot_be_killed,
    all_processes_can_be_killed,
    run_ends_as_its_process_does,
    run_passes_signals_on,
    run_leaves_nothing,
    run_in_the_background,
    the_bundle_can_be_given_in_three_ways,
    the_pid_is_written_where_it_is_asked_for,
    the_list_has_every_container,
    state_survives_a_bundle_that_is_gone,
];

/// The status and pid of a state that is complete and has nothing beside.
#[track_caller]
fn status(state: &Value, id: &str, bundle: &Bundle) -> (String, Option<i32>) {
    let mut state = state.as_object().unwrap().clone();
    assert_eq!(state.remove("ociVersion"), Some("1.3.0".into()));
    assert_eq!(state.remove("id"), Some(id.into()));
    assert_eq!(state.remove("bundle"), Some(bundle.dir().to_str().unwrap().into()));
    let annotations = state.remove("annotations").unwrap();
    assert_eq!(annotations["com.example.note"], "kept");
    let jid = annotations["org.freebsd.jail.jid"].as_str().unwrap();
    assert!(jid.parse::<i32>().unwrap() > 0);
    let status = state.remove("status").unwrap().as_str().unwrap().to_owned();
    let pid = state.remove("pid").map(|pid| i32::try_from(pid.as_i64().unwrap()).unwrap());
    assert!(state.is_empty(), "more than the specification has: {state:?}");
    (status, pid)
}

fn a_container_from_create_to_delete(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("annotations", json!({ "com.example.note": "kept" }));
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let told = || status(&container.state(), container.id(), &bundle);

    let (created, pid) = told();
    assert_eq!(created, "created");
    let process = ProcessId::of(pid.unwrap()).unwrap().expect("a process that lives");
    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().expect("a jail by the id");
    assert_eq!(jail.path().unwrap(), bundle.rootfs().to_str().unwrap());

    container.start();
    assert_eq!(told(), ("running".to_owned(), pid), "it is the same process");
    assert_eq!(container.wait_line(0), json!({ "ready": true }));
    assert_eq!(jail.processes().unwrap(), [process]);

    process.signal(Signal::KILL).unwrap();
    container.wait_stopped();
    assert_eq!(told(), ("stopped".to_owned(), None));

    container.delete();
    let message = container.verb("state").refused();
    assert_eq!(message, format!("container does not exist: {}", container.id()));
    sandbox.host().assert_unchanged_since(&before);
}

fn what_does_not_exist_is_said_not_to(sandbox: &Sandbox<'_>) {
    let before = sandbox.host();
    for verb in ["state", "start", "kill", "delete"] {
        let message = sandbox.runj([verb, "nowhere"]).run().refused();
        assert_eq!(message, "container does not exist: nowhere", "{verb}");
    }
    let message = sandbox.runj(["exec", "nowhere", "sh"]).run().refused();
    assert_eq!(message, "container does not exist: nowhere");
    sandbox.runj(["delete", "--force", "nowhere"]).run().succeeded_silently();
    sandbox.host().assert_unchanged_since(&before);
}

fn an_id_is_given_once(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let container = sandbox.start(&bundle);
    let other = sandbox.bundle();
    let before = sandbox.host();
    let message = sandbox.try_create(container.id(), &other).refused();
    assert_eq!(message, format!("container with given ID already exists: {}", container.id()));
    sandbox.host().assert_unchanged_since(&before);
    assert_eq!(container.status(), "running");
}

fn an_id_can_be_used_again(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let id = sandbox.id();
    for _ in 0..2 {
        sandbox.try_create(&id, &bundle).succeeded_silently();
        sandbox.runj(["start", &id]).run().succeeded_silently();
        sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
    }
}

fn ids_that_jails_could_not_have_as_names(sandbox: &Sandbox<'_>) {
    let unique = sandbox.id();
    let digits: String = unique.chars().filter(char::is_ascii_digit).collect();
    let longest = format!("{unique}{}", "z".repeat(255 - unique.len()));
    let ids = [
        format!("{unique}.a.b"),
        format!("{unique}.a"),
        format!("0{digits}"),
        digits.clone(),
        format!("{digits}.5"),
        format!("_{unique}+-"),
        longest,
    ];
    for id in &ids {
        sandbox.try_create(id, &sandbox.bundle()).succeeded_silently();
    }
    for id in &ids {
        assert_eq!(sandbox.runj(["state", id]).run().json()["id"], id.as_str());
        sandbox.runj(["start", id]).run().succeeded_silently();
    }
    // Each is a jail of its own, and the end of one is not that of another.
    sandbox.runj(["delete", "--force", &ids[1]]).run().succeeded_silently();
    for id in ids.iter().filter(|id| **id != ids[1]) {
        assert_eq!(sandbox.runj(["state", id]).run().json()["status"], "running");
    }
}

fn only_a_created_container_starts(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let refused = |status: &str| {
        let message = container.verb("start").refused();
        let id = container.id();
        assert_eq!(message, format!("cannot start container {id}: it is {status}, not created"));
    };
    refused("running");
    assert_eq!(container.status(), "running");
    container.kill("KILL");
    container.wait_stopped();
    refused("stopped");
}

fn a_running_container_is_deleted_by_force_only(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let before = sandbox.host();
    let message = container.verb("delete").refused();
    assert!(message.contains("it is running, not stopped"), "{message}");
    sandbox.host().assert_unchanged_since(&before);
    assert_eq!(container.status(), "running");
}

fn force_deletes_in_every_state(sandbox: &Sandbox<'_>) {
    let bundles = [sandbox.bundle(), sandbox.bundle(), sandbox.bundle()];
    let before = sandbox.host();
    let created = sandbox.create(&bundles[0]);
    let running = sandbox.start(&bundles[1]);
    let stopped = sandbox.start(&bundles[2]);
    stopped.kill("KILL");
    stopped.wait_stopped();
    for container in [&created, &running, &stopped] {
        container.delete_by_force();
        container.verb("state").refused();
        // What is gone is deleted as well as what never was.
        sandbox.runj(["delete", "-f", container.id()]).run().succeeded_silently();
    }
    sandbox.host().assert_unchanged_since(&before);
}

fn a_created_container_is_deleted_without_force(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    sandbox.create(&bundle).delete();
    sandbox.host().assert_unchanged_since(&before);
}

fn a_process_that_dies_before_its_start(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let process = ProcessId::of(container.pid()).unwrap().unwrap();
    process.signal(Signal::KILL).unwrap();
    container.wait_stopped();
    let message = container.verb("start").refused();
    assert!(message.contains("it is stopped, not created"), "{message}");
    container.delete();
    sandbox.host().assert_unchanged_since(&before);
}

fn a_missing_program(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["no-such-program", "--flag"]);
    let message = sandbox.refused(&bundle);
    assert_eq!(message, r#"exec: "no-such-program": executable file not found in $PATH"#);

    // Also when it was there at first.
    let bundle = bundle.args(["/program"]);
    let program = bundle.rootfs().join("program");
    copy_program("/bin/sh".as_ref(), &program);
    let container = sandbox.create(&bundle);
    std::fs::remove_file(&program).unwrap();
    let message = container.verb("start").refused();
    assert_eq!(message, r#"exec: "/program": executable file not found in $PATH"#);
    container.wait_stopped();
    container.delete();

    let bundle = bundle.args(["/no/such/program"]);
    let before = sandbox.host();
    let message = sandbox.run(&bundle).refused();
    assert_eq!(message, r#"exec: "/no/such/program": executable file not found in $PATH"#);
    sandbox.host().assert_unchanged_since(&before);
}

fn a_program_that_may_not_be_executed(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["/plain"]);
    std::fs::write(bundle.rootfs().join("plain"), "not a program").unwrap();
    let message = sandbox.refused(&bundle);
    assert_eq!(message, r#"exec: "/plain": permission denied"#);
    let message = sandbox.refused(&bundle.args(["/opt"]));
    assert_eq!(message, r#"exec: "/opt": permission denied"#);
}

fn signals_by_name_by_number_and_by_default(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().probe(["signals"]));
    assert_eq!(container.wait_line(0)["ready"], true);
    let usr1 = "USR1".parse::<Signal>().unwrap().as_raw().to_string();
    let arrive = ["SIGHUP", "usr2", &usr1, "INT"];
    let names = ["SIGHUP", "SIGUSR2", "SIGUSR1", "SIGINT"];
    for (index, (signal, name)) in arrive.iter().zip(names).enumerate() {
        container.kill(signal);
        assert_eq!(container.wait_line(index + 1)["signal"], name);
    }
    container.verb("kill").succeeded_silently();
    assert_eq!(container.wait_line(5)["signal"], "SIGTERM");
    container.wait_stopped();

    for wrong in ["NOPE", "0", "-9", "999"] {
        let message = sandbox.runj(["kill", container.id(), "--", wrong]).run().refused();
        assert!(message.contains(&format!("{wrong:?} is not a signal")), "{message}");
    }
}

fn a_created_container_can_be_killed(sandbox: &Sandbox<'_>) {
    for flags in [&[][..], &["--all"]] {
        let container = sandbox.create(&sandbox.bundle());
        sandbox.runj(["kill"]).args(flags).args([container.id()]).run().succeeded_silently();
        container.wait_stopped();
        container.delete();
    }
}

fn a_stopped_container_cannot_be_killed(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().args(["true"]));
    container.wait_stopped();
    for flags in [&[][..], &["--all"]] {
        let outcome = sandbox.runj(["kill"]).args(flags).args([container.id(), "KILL"]).run();
        let message = outcome.refused();
        assert!(message.starts_with("container not running"), "{message}");
    }
}

fn all_processes_can_be_killed(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let container = sandbox.start(&bundle);
    let others: Vec<_> = (0..3)
        .map(|_| {
            container.exec(["--detach"], Bundle::probe_command(["wait"])).run().succeeded();
        })
        .collect();
    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().unwrap();
    let processes = jail.processes().unwrap();
    assert_eq!(processes.len(), 1 + others.len());

    // One signal is for the container's process alone.
    container.kill("KILL");
    container.wait_stopped();
    assert_eq!(jail.processes().unwrap().len(), others.len());

    sandbox.runj(["kill", "--all", container.id(), "KILL"]).run().succeeded_silently();
    for process in processes {
        assert!(process.wait(runj_tests::DEADLINE).unwrap());
    }
    container.delete();
}

fn run_ends_as_its_process_does(sandbox: &Sandbox<'_>) {
    for status in ["0", "1", "42", "255"] {
        let outcome = sandbox.run(&sandbox.bundle().probe(["exit", status]));
        assert_eq!(outcome.code().to_string(), status);
        assert_eq!(outcome.stdout() + &outcome.stderr(), "");
    }
    let outcome = sandbox.run(&sandbox.bundle().shell("kill -9 $$"));
    // On the development host the process is no pid 1, which no signal from inside would end.
    assert_eq!(outcome.code(), 128 + 9);
    let outcome = sandbox.run(&sandbox.bundle().shell("echo out; echo err >&2; exit 3"));
    assert_eq!(
        (outcome.code(), outcome.stdout(), outcome.stderr()),
        (3, "out\n".into(), "err\n".into())
    );
}

fn run_passes_signals_on(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().probe(["signals"]);
    let running = sandbox.runj(["run", "-b"]).args([bundle.dir()]).args([sandbox.id()]).spawn();
    let line = |number: usize| {
        runj_tests::eventually("a line", || {
            let stdout = running.stdout();
            let line = stdout.lines().nth(number)?;
            serde_json::from_str::<Value>(line).ok()
        })
    };
    assert_eq!(line(0)["ready"], true);
    for (index, name) in ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM"].into_iter().enumerate() {
        running.signal(name.parse().unwrap());
        assert_eq!(line(index + 1)["signal"], format!("SIG{name}"));
    }
    assert_eq!(running.wait().code(), 7);
}

fn run_leaves_nothing(sandbox: &Sandbox<'_>) {
    let bundles = [sandbox.bundle().args(["true"]), sandbox.bundle().args(["no-such-program"])];
    let before = sandbox.host();
    sandbox.run(&bundles[0]).succeeded_silently();
    sandbox.run(&bundles[1]).refused();
    sandbox.host().assert_unchanged_since(&before);
}

fn run_in_the_background(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let id = sandbox.id();
    let run = sandbox.runj(["run", "--detach", "--bundle"]).args([bundle.dir()]).args([&id]);
    run.run().succeeded();
    assert_eq!(sandbox.runj(["state", &id]).run().json()["status"], "running");
    sandbox.runj(["kill", &id, "KILL"]).run().succeeded_silently();
    runj_tests::eventually("its end", || {
        (sandbox.runj(["state", &id]).run().json()["status"] == "stopped").then_some(())
    });
    sandbox.runj(["delete", &id]).run().succeeded_silently();
}

fn the_bundle_can_be_given_in_three_ways(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let dir = bundle.dir().to_str().unwrap();
    let relative = bundle.dir().file_name().unwrap().to_str().unwrap();
    let id = sandbox.id();
    for create in [
        sandbox.runj(["create", &id, dir]),
        sandbox.runj(["create", "-b", dir, &id]),
        sandbox.runj(["create", &id, "--bundle", relative]),
        sandbox.runj(["create", &id]).current_dir(bundle.dir()),
    ] {
        create.run().succeeded_silently();
        assert_eq!(sandbox.runj(["state", &id]).run().json()["bundle"], dir);
        sandbox.runj(["delete", &id]).run().succeeded_silently();
    }
    sandbox.runj(["create", "-b", dir, &id, dir]).run().refused();
}

fn the_pid_is_written_where_it_is_asked_for(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let file = sandbox.path().join("pid");
    let id = sandbox.id();
    let create = sandbox.runj(["create", "--bundle"]).args([bundle.dir()]).args([&id]);
    create.args(["--pid-file"]).args([&file]).run().succeeded_silently();
    let pid = std::fs::read_to_string(&file).unwrap();
    assert_eq!(sandbox.runj(["state", &id]).run().json()["pid"].to_string(), pid);

    // A relative one is relative to where runj was called, however often the caller moves.
    let exec = sandbox.runj(["exec", "--detach", "--pid-file", "exec.pid", &id]);
    let elsewhere = sandbox.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let exec = exec.args(Bundle::probe_command(["wait"])).current_dir(&elsewhere);
    sandbox.runj(["start", &id]).run().succeeded_silently();
    exec.run().succeeded();
    let pid: i32 = std::fs::read_to_string(elsewhere.join("exec.pid")).unwrap().parse().unwrap();
    let jail = Jail::find(&id.parse().unwrap()).unwrap().unwrap();
    assert!(jail.processes().unwrap().iter().any(|process| process.pid() == pid));
}

fn the_list_has_every_container(sandbox: &Sandbox<'_>) {
    let list = |flags: &[&str]| sandbox.runj(["list"]).args(flags).run();
    assert_eq!(list(&["--format", "json"]).json(), json!([]));
    assert_eq!(list(&["--quiet"]).succeeded(), "");
    assert_eq!(list(&[]).succeeded().lines().count(), 1, "the names of the columns");

    let created = sandbox.create(&sandbox.bundle());
    let running = sandbox.start(&sandbox.bundle());
    let stopped = sandbox.start(&sandbox.bundle().args(["true"]));
    stopped.wait_stopped();
    let mut expected = [(&created, "created"), (&running, "running"), (&stopped, "stopped")];
    expected.sort_by_key(|(container, _)| container.id());

    let ids: String =
        expected.iter().map(|(container, _)| format!("{}\n", container.id())).collect();
    assert_eq!(list(&["-q"]).succeeded(), ids);
    let rows = list(&["-f", "json"]).json();
    let table = list(&[]).succeeded();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("ID "));
    assert_eq!(rows.as_array().unwrap().len(), expected.len());
    for ((container, status), row) in expected.iter().zip(rows.as_array().unwrap()) {
        let state = container.state();
        assert_eq!(row["id"], container.id());
        assert_eq!(row["status"], *status);
        assert_eq!(row["pid"], state.get("pid").cloned().unwrap_or(json!(0)));
        assert_eq!(row["bundle"], state["bundle"]);
        assert_eq!(row["ociVersion"], state["ociVersion"]);
        assert_eq!(row["jid"].to_string(), state["annotations"]["org.freebsd.jail.jid"]);
        let root = PathBuf::from(state["bundle"].as_str().unwrap()).join("rootfs");
        assert_eq!(row["rootfs"], root.to_str().unwrap());
        let line: Vec<_> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(line[0], container.id());
        assert_eq!(line[1], row["pid"].to_string());
        assert_eq!(line[3], *status);
    }
}

fn state_survives_a_bundle_that_is_gone(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let container = sandbox.create(&bundle);
    std::fs::remove_file(bundle.dir().join("config.json")).unwrap();
    assert_eq!(container.status(), "created");
    container.start();
    container.end();
}
