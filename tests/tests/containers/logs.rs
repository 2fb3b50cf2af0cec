//! What is written to the log, and what is not written anywhere else.

use std::fs;
use std::path::{Path, PathBuf};

use runj_tests::{Bundle, Sandbox};
use serde_json::Value;

use crate::case::cases;

cases![
    errors_are_in_the_log: Nothing,
    flags_are_not_in_the_log,
    json_is_one_object_a_line: Nothing,
    the_log_is_appended_to: Nothing,
    nothing_is_logged_that_is_not_asked_for,
    debugging_says_more,
    debugging_without_a_log_goes_to_standard_error: Nothing,
];

/// The log of a call that fails.
fn log_of_failure(sandbox: &Sandbox<'_>, flags: &[&str]) -> (String, PathBuf) {
    let log = sandbox.path().join("log");
    let runj = sandbox.runj(["--log"]).args([&log]).args(flags).args(["state", "nowhere"]);
    assert_eq!(runj.run().refused(), "container does not exist: nowhere");
    (fs::read_to_string(&log).unwrap(), log)
}

fn errors_are_in_the_log(sandbox: &Sandbox<'_>) {
    for flags in [&[][..], &["--log-format", "text"]] {
        let (text, log) = log_of_failure(sandbox, flags);
        assert!(text.starts_with("time=\"2"), "{text}");
        assert!(
            text.ends_with("level=error msg=\"container does not exist: nowhere\"\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
        fs::remove_file(log).unwrap();
    }
}

/// Whoever reads the log has called an engine, and knows none of the flags that it gives to runj.
fn flags_are_not_in_the_log(sandbox: &Sandbox<'_>) {
    let log = sandbox.path().join("log");
    let bundle = sandbox.bundle();
    let terminal = sandbox.bundle().set("process.terminal", true);
    let running = sandbox.start(&sandbox.bundle());
    let id = sandbox.id();
    let create = |bundle: &Bundle, flags: &[&str]| {
        sandbox.runj(["--log"]).args([&log]).args(["create", &id]).args(flags).args([bundle.dir()])
    };
    let nowhere = Path::new("/no/such/place");
    let delete = ["delete", running.id()];
    for (runj, printed, logged) in [
        (
            create(&bundle, &["--pid-file", "/no/such/place"]),
            "--pid-file: \"/no/such/place\": No such file",
            "pid file: \"/no/such/place\": No such file",
        ),
        (
            create(&terminal, &["--console-socket", "/no/such/place"]),
            "--console-socket: \"/no/such/place\": No such file",
            "console socket: \"/no/such/place\": No such file",
        ),
        (
            create(&terminal, &[]),
            "config.json: process.terminal: true is not allowed: without --console-socket nobody",
            "config.json: process.terminal: true is not allowed: without a console socket nobody",
        ),
        (
            create(&bundle, &["--preserve-fds", "900"]),
            "--preserve-fds: descriptor ",
            "preserved descriptors: descriptor ",
        ),
        (
            sandbox.runj(["--log"]).args([&log]).args(["create", &id, "--bundle"]).args([nowhere]),
            "--bundle: \"/no/such/place\" is not allowed: ",
            "bundle: \"/no/such/place\" is not allowed: ",
        ),
        (
            sandbox
                .runj_without_root()
                .args(["--log"])
                .args([&log])
                .args(["list", "--root=/etc/hosts"]),
            "--root: \"/etc/hosts\" is not allowed: ",
            "state directory: \"/etc/hosts\" is not allowed: ",
        ),
        (
            sandbox.runj(["--log"]).args([&log]).args(delete),
            "it is running, not stopped (--force deletes it all the same)",
            "it is running, not stopped (force deletes it all the same)",
        ),
    ] {
        let message = runj.args(["--log-format", "json"]).run().refused();
        assert!(message.contains(printed), "{message}");
        let line: Value = serde_json::from_slice(&fs::read(&log).unwrap()).unwrap();
        let line = line["msg"].as_str().unwrap();
        assert!(line.contains(logged) && !line.contains("--"), "{line}");
        fs::remove_file(&log).unwrap();
    }
}

fn json_is_one_object_a_line(sandbox: &Sandbox<'_>) {
    let (text, _) = log_of_failure(sandbox, &["--log-format", "json"]);
    let entries: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [entry] = &entries[..] else { panic!("{text}") };
    assert_eq!(entry["level"], "error");
    assert_eq!(entry["msg"], "container does not exist: nowhere");
    assert!(entry["time"].as_str().unwrap().starts_with('2'));
}

fn the_log_is_appended_to(sandbox: &Sandbox<'_>) {
    log_of_failure(sandbox, &[]);
    let (text, _) = log_of_failure(sandbox, &["--log-format", "json"]);
    assert_eq!(text.lines().count(), 2, "{text}");
}

fn nothing_is_logged_that_is_not_asked_for(sandbox: &Sandbox<'_>) {
    let log = sandbox.path().join("log");
    let container = sandbox.create(&sandbox.bundle());
    for verb in ["state", "start", "kill"] {
        let runj = sandbox.runj(["--log"]).args([&log]).args([verb, container.id()]);
        runj.run().succeeded();
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "");
}

fn debugging_says_more(sandbox: &Sandbox<'_>) {
    let log = sandbox.path().join("log");
    let bundle = sandbox.bundle();
    let id = sandbox.id();
    let create = sandbox.runj(["--debug", "--log"]).args([&log]).args(["create", &id, "-b"]);
    create.args([bundle.dir()]).run().succeeded_silently();
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains("level=debug"), "{text}");
}

fn debugging_without_a_log_goes_to_standard_error(sandbox: &Sandbox<'_>) {
    let outcome = sandbox.runj(["--debug", "state", "nowhere"]).run();
    assert_eq!(outcome.code(), 1);
    assert_eq!(outcome.stdout(), "");
    let stderr = outcome.stderr();
    assert!(stderr.contains("level=error") && stderr.contains("runj: container does not exist"));
}
