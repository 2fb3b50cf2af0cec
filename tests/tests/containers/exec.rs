//! One more process in a container.

use std::fs;

use runj_jail::Jail;
use runj_tests::{Bundle, Container, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    ends_as_its_process_does,
    is_in_the_container,
    is_like_the_container_s_process,
    flags_change_it,
    flags_that_are_wrong,
    a_process_from_a_file,
    a_file_that_is_wrong,
    works_before_the_start,
    is_refused_when_stopped,
    a_missing_program,
    in_the_background,
    passes_signals_on,
    does_not_end_the_container,
    network_of_the_container,
];

#[track_caller]
fn report(container: &Container<'_>, flags: &[&str]) -> Value {
    container.exec(flags.iter().copied(), Bundle::probe_command(["report"])).run().json()
}

fn ends_as_its_process_does(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    for status in ["0", "1", "42", "255"] {
        let outcome = container.exec([], Bundle::probe_command(["exit", status])).run();
        assert_eq!(outcome.code().to_string(), status);
        assert_eq!(outcome.stdout() + &outcome.stderr(), "");
    }
    let outcome = container.exec([], ["sh", "-c", "kill -TERM $$"]).run();
    assert_eq!(outcome.code(), 128 + 15);
    let outcome = container.exec([], ["sh", "-c", "echo out; echo err >&2"]).run();
    assert_eq!((outcome.stdout().as_str(), outcome.stderr().as_str()), ("out\n", "err\n"));
    assert_eq!(container.status(), "running");
}

fn is_in_the_container(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().set("hostname", "jailed"));
    assert_eq!(report(&container, &[])["hostname"], "jailed");
    let outcome = container.exec([], ["sh", "-c", "echo /*"]).run();
    assert!(!outcome.succeeded().contains("/proc"), "the container has none");
}

fn is_like_the_container_s_process(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    fs::create_dir(bundle.rootfs().join("place")).unwrap();
    let bundle = bundle
        .set("process.cwd", "/place")
        .set("process.env", json!(["PATH=/bin", "A=1"]))
        .set("process.user", json!({ "uid": 12, "gid": 34, "additionalGids": [56], "umask": 7 }))
        .set("process.noNewPrivileges", true);
    let container = sandbox.start(&bundle);
    let report = report(&container, &[]);
    assert_eq!(report["cwd"], "/place");
    assert_eq!(report["env"], json!(["PATH=/bin", "A=1", "HOME=/"]));
    assert_eq!(report["uid"], json!([12, 12]));
    assert_eq!(report["gid"], json!([34, 34]));
    assert!(report["groups"].as_array().unwrap().contains(&json!(56)));
    assert_eq!(report["umask"], 7);
    assert_eq!(report["no_new_privileges"], true);
    assert_eq!(report["leads_session"], true);
}

fn flags_change_it(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("process.env", json!(["PATH=/bin", "A=1", "B=2"]));
    let container = sandbox.start(&bundle);
    let flags = ["--cwd", "/usr", "--env", "A=changed", "-e", "C=x=y", "--user", "12:34"];
    let changed = report(&container, &flags);
    assert_eq!(changed["cwd"], "/usr");
    let mut environment: Vec<_> =
        changed["env"].as_array().unwrap().iter().map(|entry| entry.as_str().unwrap()).collect();
    environment.sort_unstable();
    assert_eq!(environment, ["A=changed", "B=2", "C=x=y", "HOME=/", "PATH=/bin"]);
    assert_eq!(changed["uid"], json!([12, 12]));
    assert_eq!(changed["gid"], json!([34, 34]));
    assert_eq!(report(&container, &["-u", "12"])["gid"], json!([0, 0]));
}

fn flags_that_are_wrong(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    for (flags, said) in [
        (["--user", "me"], "--user: \"me\" is not allowed"),
        (["--user", "1:"], "--user: \"1:\" is not allowed"),
        (["--user", "4294967296"], "--user: \"4294967296\" is not allowed"),
        (["--env", "A"], "--env: \"A\" is not allowed"),
        (["--env", "=1"], "--env: \"=1\" is not allowed"),
        (["--cwd", "usr"], "cwd: \"usr\" is not allowed"),
        (["--cwd", ""], "cwd: \"\" is not allowed"),
        (["--process", "/no/such/file"], "--process: cannot read \"/no/such/file\""),
    ] {
        let command: &[&str] = if flags[0] == "--process" { &[] } else { &["true"] };
        let message = container.exec(flags, command).run().refused();
        assert!(message.contains(said), "{flags:?}: {message}");
    }
    let message = container.exec(["--cwd", "/no/such/directory"], ["true"]).run().refused();
    assert!(message.starts_with("process.cwd: \"/no/such/directory\""), "{message}");
}

fn a_process_from_a_file(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().set("process.env", json!(["A=1"])));
    let file = sandbox.path().join("process.json");
    let process = json!({
        "args": Bundle::probe_command(["report"]),
        "env": ["B=2"],
        "cwd": "/opt",
        "user": { "uid": 7, "gid": 8 }
    });
    fs::write(&file, process.to_string()).unwrap();
    let flags = ["--process", file.to_str().unwrap()];
    let report = container.exec(flags, [""; 0]).run().json();
    assert_eq!(report["env"], json!(["B=2", "HOME=/"]));
    assert_eq!(report["cwd"], "/opt");
    assert_eq!(report["uid"], json!([7, 7]));
    assert_eq!(report["gid"], json!([8, 8]));
    let both = container.exec(flags, ["true"]).run().refused();
    assert!(both.contains("--process"), "{both}");
}

fn a_file_that_is_wrong(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let file = sandbox.path().join("process.json");
    let flags = ["--process", file.to_str().unwrap()];
    for (text, said) in [
        ("{", "line 1, column 1"),
        ("{}", "args: missing"),
        (r#"{"args": ["true"], "cwd": "x"}"#, "cwd: \"x\" is not allowed"),
        (r#"{"args": ["true"], "rlimits": [{"type": "X", "soft": 1, "hard": 1}]}"#, "rlimits[0]"),
        (r#"{"args": ["true"], "terminal": true}"#, "terminal"),
    ] {
        fs::write(&file, text).unwrap();
        let flags = if text.contains("terminal") {
            // In the background there is nobody to have the terminal's far end.
            [&flags[..], &["--detach"]].concat()
        } else {
            flags.into()
        };
        let message = container.exec(flags, [""; 0]).run().refused();
        assert!(message.contains(said), "{text}: {message}");
        assert!(message.contains("process.json"), "{text}: {message}");
    }
}

fn works_before_the_start(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&sandbox.bundle());
    container.exec([], ["true"]).run().succeeded_silently();
    assert_eq!(container.status(), "created");
    container.start();
}

fn is_refused_when_stopped(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle().args(["true"]));
    container.wait_stopped();
    let message = container.exec([], ["true"]).run().refused();
    assert!(message.starts_with("container not running"), "{message}");
}

fn a_missing_program(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let before = sandbox.host();
    for flags in [&[][..], &["--detach"]] {
        let outcome = container.exec(flags.iter().copied(), ["no-such-program"]).run();
        let message = outcome.refused();
        assert_eq!(message, r#"exec: "no-such-program": executable file not found in $PATH"#);
    }
    sandbox.host().assert_unchanged_since(&before);
}

fn in_the_background(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let file = sandbox.path().join("pid");
    let flags = ["--detach", "--pid-file", file.to_str().unwrap()];
    container.exec(flags, Bundle::probe_command(["wait"])).run().succeeded();
    let pid: i32 = fs::read_to_string(&file).unwrap().parse().unwrap();
    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().unwrap();
    let process = jail.processes().unwrap().into_iter().find(|process| process.pid() == pid);
    let process = process.expect("it lives, in the jail");
    // It goes with the container, not with its first process alone.
    container.kill("KILL");
    container.wait_stopped();
    assert!(process.is_alive().unwrap());
    container.delete();
    assert!(!process.is_alive().unwrap());
}

fn passes_signals_on(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let running = container.exec([], Bundle::probe_command(["signals"])).spawn();
    let wait_for = |text: &str| {
        runj_tests::eventually(text, || running.stdout().contains(text).then_some(()));
    };
    wait_for("ready");
    running.signal("USR1".parse().unwrap());
    wait_for("SIGUSR1");
    running.signal("TERM".parse().unwrap());
    assert_eq!(running.wait().code(), 7);
}

fn does_not_end_the_container(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    container.exec([], ["sh", "-c", "kill -KILL $$"]).run();
    assert_eq!(container.status(), "running");
}

fn network_of_the_container(sandbox: &Sandbox<'_>) {
    let socket = |bundle: &Bundle| {
        let container = sandbox.start(bundle);
        container.exec([], Bundle::probe_command(["socket", "inet"])).run().json()
    };
    assert_eq!(socket(&sandbox.bundle()), json!({ "errno": "EPROTONOSUPPORT" }));
    let inherit = sandbox.bundle().ipv4(json!({ "mode": "inherit" }));
    assert_eq!(socket(&inherit), json!({ "socket": true }));
}
