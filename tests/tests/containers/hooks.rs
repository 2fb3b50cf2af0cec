//! Programs of the host at points of a container's life.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    every_kind_at_its_time_and_in_order,
    the_state_is_on_standard_input,
    the_arguments_begin_with_the_name,
    the_environment_is_the_hook_s_own,
    no_descriptor_of_ours,
    a_time_out_ends_it_and_what_it_started,
    one_that_fails_ends_create_before_the_next,
    poststart_failures_end_the_container,
    create_failures_are_followed_by_poststop,
    poststop_failures_are_warned_of,
    a_caller_that_ignores_its_children,
    create_container_hooks_start_in_the_root,
];

const KINDS: [&str; 5] = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];

/// A bundle with two hooks of each kind that append their kind, their number and the status of the
/// container to a file.
fn noting(sandbox: &Sandbox<'_>) -> (Bundle, PathBuf) {
    let mut bundle = sandbox.bundle();
    let notes = bundle.dir().join("notes");
    let line = "status=$(sed 's/.*\"status\":\"\\([a-z]*\\)\".*/\\1/'); \
                echo \"$1 $2 $status\" >> $(dirname $0)/notes";
    let script = bundle.script("note", line);
    for kind in KINDS {
        let hooks = ["0", "1"].map(|number| {
            let env = ["PATH=/bin:/usr/bin"];
            json!({ "path": script, "args": [script, kind, number], "env": env })
        });
        bundle = bundle.set(&format!("hooks.{kind}"), hooks.to_vec());
    }
    (bundle, notes)
}

fn lines(notes: &Path) -> Vec<String> {
    let text = fs::read_to_string(notes).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn every_kind_at_its_time_and_in_order(sandbox: &Sandbox<'_>) {
    let (bundle, notes) = noting(sandbox);
    let container = sandbox.create(&bundle);
    let mut expected: Vec<String> = Vec::new();
    let both = |kind, status| [0, 1].map(|number| format!("{kind} {number} {status}"));
    for kind in ["prestart", "createRuntime", "createContainer"] {
        expected.extend(both(kind, "creating"));
    }
    assert_eq!(lines(&notes), expected);
    container.start();
    expected.extend(both("poststart", "running"));
    assert_eq!(lines(&notes), expected);
    container.kill("KILL");
    container.wait_stopped();
    assert_eq!(lines(&notes), expected);
    container.delete();
    expected.extend(both("poststop", "stopped"));
    assert_eq!(lines(&notes), expected);
}

/// What a hook of a container writes to the file `note` beside it.
#[track_caller]
fn noted(sandbox: &Sandbox<'_>, kind: &str, script: &str, more: Value) -> String {
    let bundle = sandbox.bundle();
    let path = bundle.script("hook", script);
    let mut hook = json!({ "path": path });
    hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let bundle = bundle.set(&format!("hooks.{kind}"), json!([hook])).args(["true"]);
    sandbox.run(&bundle).succeeded_silently();
    fs::read_to_string(bundle.dir().join("note")).unwrap()
}

fn the_state_is_on_standard_input(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("annotations", json!({ "a": "1" }));
    let hook = bundle.script("hook", "/bin/cat > ${0%/*}/note");
    let bundle = bundle.set("hooks.createRuntime", json!([{ "path": hook, "args": [hook] }]));
    let container = sandbox.create(&bundle);
    let note = fs::read(bundle.dir().join("note")).unwrap();
    let mut told: Value = serde_json::from_slice(&note).unwrap();
    assert_eq!(told["status"], "creating");
    told["status"] = "created".into();
    assert_eq!(told, container.state());
    assert_eq!(told["annotations"]["a"], "1");
}

fn the_arguments_begin_with_the_name(sandbox: &Sandbox<'_>) {
    // A script's name is what the kernel opens; a program sees the name that it is given.
    let file = sandbox.path().join("args");
    let line = format!("printf '<%s>' \"$0\" \"$@\" > {}", file.display());
    let args = json!(["the name", "-c", line, "zero", "one", "two words"]);
    let bundle = sandbox.bundle().args(["true"]);
    let bundle = bundle.set("hooks.createRuntime", json!([{ "path": "/bin/sh", "args": args }]));
    sandbox.run(&bundle).succeeded_silently();
    assert_eq!(fs::read_to_string(&file).unwrap(), "<zero><one><two words>");

    // Without any, it is called by its path.
    let note = noted(sandbox, "createRuntime", "echo \"$# $0\" > ${0%/*}/note", json!({}));
    assert!(note.starts_with("0 /") && note.ends_with("/hook\n"), "{note}");
}

fn the_environment_is_the_hook_s_own(sandbox: &Sandbox<'_>) {
    let line = "/usr/bin/env > ${0%/*}/note";
    let note = noted(sandbox, "createRuntime", line, json!({ "env": ["A=1", "B=two words"] }));
    // The shell adds some of its own.
    let shell = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    let own: Vec<_> =
        note.lines().filter(|line| !shell.iter().any(|name| line.starts_with(name))).collect();
    assert_eq!(own, ["A=1", "B=two words"]);
}

fn no_descriptor_of_ours(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["true"]);
    let line =
        "for fd in 3 4 5 6 7 8 9; do (: <&$fd) 2>/dev/null && echo $fd; done > ${0%/*}/note; :";
    let hook = bundle.script("hook", line);
    let hooks = json!([{ "path": hook }]);
    let bundle = KINDS
        .iter()
        .fold(bundle, |bundle, kind| bundle.set(&format!("hooks.{kind}"), hooks.clone()));
    let careless = (0..6).map(|_| fs::File::open("/dev/null").unwrap().into()).collect();
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    run.descriptors(careless).run().succeeded_silently();
    assert_eq!(fs::read_to_string(bundle.dir().join("note")).unwrap(), "");
}

fn a_time_out_ends_it_and_what_it_started(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let hook = bundle.script("hook", "sleep 1000 & echo $! > ${0%/*}/note; wait");
    let hooks = json!([{ "path": hook, "timeout": 1, "env": ["PATH=/bin:/usr/bin"] }]);
    let bundle = bundle.set("hooks.createRuntime", hooks);
    let begin = Instant::now();
    let message = sandbox.try_create(&sandbox.id(), &bundle).refused();
    assert!(message.contains("hooks.createRuntime[0]"), "{message}");
    assert!(message.ends_with("it did not end within 1 seconds"), "{message}");
    assert!(begin.elapsed() >= Duration::from_secs(1));
    let sleeping = fs::read_to_string(bundle.dir().join("note")).unwrap();
    let sleeping = runj_jail::ProcessId::of(sleeping.trim().parse().unwrap()).unwrap();
    assert!(sleeping.is_none_or(|process| process.wait(runj_tests::DEADLINE).unwrap()));
}

fn one_that_fails_ends_create_before_the_next(sandbox: &Sandbox<'_>) {
    let (bundle, notes) = noting(sandbox);
    let failing = bundle.script("fail", "exit 3");
    let bundle = bundle.set("hooks.createRuntime", json!([{ "path": failing }]));
    let message = sandbox.try_create(&sandbox.id(), &bundle).refused();
    assert!(message.contains("hooks.createRuntime[0]"), "{message}");
    let mut expected = vec!["prestart 0 creating", "prestart 1 creating"];
    expected.extend(["poststop 0 stopped", "poststop 1 stopped"]);
    assert_eq!(lines(&notes), expected);
}

/// Warnings in the log of a call.
fn with_log(sandbox: &Sandbox<'_>, line: &[&str]) -> String {
    let log = sandbox.path().join("log");
    let outcome = sandbox.runj(["--log"]).args([&log]).args(line).run();
    outcome.succeeded_silently();
    fs::read_to_string(log).unwrap()
}

fn poststart_failures_end_the_container(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let failing = bundle.script("fail", "exit 3");
    let after = bundle.script("after", "echo done > ${0%/*}/note");
    let poststop = bundle.script("poststop", "echo poststop >> ${0%/*}/note");
    let bundle = bundle
        .set("hooks.poststart", json!([{ "path": failing }, { "path": after }]))
        .set("hooks.poststop", json!([{ "path": poststop }]));
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let message = container.verb("start").refused();
    assert!(message.starts_with("config.json: hooks.poststart[0]: "), "{message}");
    assert!(message.ends_with("exit status: 3"), "{message}");
    container.verb("state").refused();
    let note = bundle.dir().join("note");
    assert_eq!(fs::read_to_string(&note).unwrap(), "poststop\n");
    fs::remove_file(note).unwrap();
    sandbox.host().assert_unchanged_since(&before);
}

fn create_failures_are_followed_by_poststop(sandbox: &Sandbox<'_>) {
    for kind in ["prestart", "createRuntime", "createContainer"] {
        let (bundle, notes) = noting(sandbox);
        let failing = bundle.script("fail", "exit 3");
        let bundle = bundle.set(&format!("hooks.{kind}"), json!([{ "path": failing }]));
        sandbox.try_create(&sandbox.id(), &bundle).refused();
        let noted = lines(&notes);
        assert_eq!(noted[noted.len() - 2..], ["poststop 0 stopped", "poststop 1 stopped"]);
    }
}

fn create_container_hooks_start_in_the_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["true"]);
    let hook = json!([{ "path": "/bin/sh", "args": ["sh", "-c", "/bin/cat here > there"] }]);
    let bundle = bundle.set("hooks.createContainer", hook);
    fs::write(bundle.rootfs().join("here"), "text").unwrap();
    sandbox.run(&bundle).succeeded_silently();
    assert_eq!(fs::read_to_string(bundle.rootfs().join("there")).unwrap(), "text");
}

fn poststop_failures_are_warned_of(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let failing = bundle.script("fail", "exit 3");
    let after = bundle.script("after", "echo done > ${0%/*}/note");
    let bundle = bundle.set("hooks.poststop", json!([{ "path": failing }, { "path": after }]));
    let container = sandbox.create(&bundle);
    let log = with_log(sandbox, &["delete", container.id()]);
    assert!(log.contains("level=warning") && log.contains("hooks.poststop[0]"), "{log}");
    assert!(bundle.dir().join("note").exists(), "the next one is run all the same");
    container.verb("state").refused();
}

fn a_caller_that_ignores_its_children(sandbox: &Sandbox<'_>) {
    let (bundle, notes) = noting(sandbox);
    let bundle = bundle.args(["true"]);
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    run.deaf_to_signals().run().succeeded_silently();
    assert_eq!(lines(&notes).len(), 2 * KINDS.len());
    let id = sandbox.id();
    let create = sandbox.runj(["create", &id, "--bundle"]).args([bundle.dir()]);
    create.deaf_to_signals().run().succeeded_silently();
}
