//! `startContainer` hooks: programs of the container, run in it before its own.

use std::fs;
use std::time::{Duration, Instant};

use runj_tests::{Bundle, Sandbox, write_script};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    they_run_inside_in_order_before_the_program,
    the_state_is_on_standard_input,
    the_arguments_begin_with_the_name,
    the_environment_is_the_hook_s_own,
    they_are_root_whoever_the_process_is,
    no_descriptor_of_ours,
    the_program_is_as_without_hooks,
    the_program_can_come_from_a_hook,
    one_that_fails_ends_the_container,
    what_one_says_is_no_command_to_a_terminal,
    one_that_is_not_there_ends_the_container,
    one_that_a_signal_ends,
    a_time_out_ends_it_and_what_it_started,
    one_that_stops_its_maker_is_not_waited_for,
    delete_ends_one_that_does_not_end,
];

/// Puts a script into the container's root; its path inside.
fn inside(bundle: &Bundle, name: &str, text: &str) -> String {
    let path = bundle.rootfs().join(name);
    write_script(&path, &format!("PATH=/bin:/usr/bin\n{text}\n"));
    format!("/{name}")
}

fn hooked(bundle: Bundle, hooks: Value) -> Bundle {
    bundle.set("hooks.startContainer", hooks)
}

/// A file of the container's root.
#[track_caller]
fn text(bundle: &Bundle, name: &str) -> String {
    fs::read_to_string(bundle.rootfs().join(name)).unwrap()
}

fn they_run_inside_in_order_before_the_program(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("echo program >> /note; cat /note");
    let hook = inside(&bundle, "hook", "echo hook $1 in $(pwd) >> /note");
    let hooks = ["0", "1"].map(|number| json!({ "path": hook, "args": [hook, number] }));
    let bundle = hooked(bundle, json!(hooks));
    let container = sandbox.create(&bundle);
    assert!(!bundle.rootfs().join("note").exists(), "they belong to start");
    container.start();
    container.wait_stopped();
    assert_eq!(container.output(), "hook 0 in /\nhook 1 in /\nprogram\n");
}

fn the_state_is_on_standard_input(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("annotations", json!({ "a\"pid\":-1": "\"pid\":-1" }));
    // The hook's parent is the container's process.
    let hook = inside(&bundle, "hook", "cat > /state; echo $PPID > /parent");
    let bundle = hooked(bundle, json!([{ "path": hook }, { "path": hook }]));
    let container = sandbox.start(&bundle);
    let mut told: Value = serde_json::from_str(&text(&bundle, "state")).unwrap();
    assert_eq!(told["status"], "created");
    assert_eq!(told["pid"].to_string(), text(&bundle, "parent").trim());
    let state = container.state();
    for property in ["status", "pid"] {
        told[property] = state[property].clone();
    }
    assert_eq!(told, state);
}

fn the_arguments_begin_with_the_name(sandbox: &Sandbox<'_>) {
    let line = "printf '<%s>' \"$0\" \"$@\" > /note";
    let args = json!(["the name", "-c", line, "zero", "one", "two words", ""]);
    let bundle = hooked(sandbox.bundle(), json!([{ "path": "/bin/sh", "args": args }]));
    drop(sandbox.start(&bundle));
    assert_eq!(text(&bundle, "note"), "<zero><one><two words><>");

    // Without any, it is called by its path.
    let bundle = sandbox.bundle();
    let hook = inside(&bundle, "hook", "echo \"$# $0\" > /note");
    let bundle = hooked(bundle, json!([{ "path": hook }]));
    drop(sandbox.start(&bundle));
    assert_eq!(text(&bundle, "note"), "0 /hook\n");
}

fn the_environment_is_the_hook_s_own(sandbox: &Sandbox<'_>) {
    let args = json!(["sh", "-c", "/usr/bin/env > /note"]);
    let hook = json!([{ "path": "/bin/sh", "args": args, "env": ["A=1", "B=two words"] }]);
    let bundle = hooked(sandbox.bundle(), hook);
    drop(sandbox.start(&bundle));
    // The shell adds some of its own.
    let shell = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    let note = text(&bundle, "note");
    let own: Vec<_> =
        note.lines().filter(|line| !shell.iter().any(|name| line.starts_with(name))).collect();
    assert_eq!(own, ["A=1", "B=two words"]);
}

fn they_are_root_whoever_the_process_is(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("id -u; ulimit -n");
    let hook = inside(&bundle, "hook", "id -u > /note; ulimit -n >> /note");
    let limit = json!([{ "type": "RLIMIT_NOFILE", "soft": 77, "hard": 77 }]);
    let bundle = hooked(bundle, json!([{ "path": hook }]))
        .set("process.user", json!({ "uid": 1234, "gid": 1234 }))
        .set("process.rlimits", limit);
    let container = sandbox.start(&bundle);
    container.wait_stopped();
    assert_eq!(container.output(), "1234\n77\n");
    let note = text(&bundle, "note");
    assert!(note.starts_with("0\n") && note != "0\n77\n", "{note}");
}

fn no_descriptor_of_ours(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["true"]);
    let line = "for fd in 3 4 5 6 7 8 9; do (: <&$fd) 2>/dev/null && echo $fd; done > /note; :";
    let hook = inside(&bundle, "hook", line);
    let bundle = hooked(bundle, json!([{ "path": hook }, { "path": hook }]))
        .mount(json!({ "destination": "/dev", "type": "devfs" }));
    let careless = (0..6).map(|_| fs::File::open("/dev/null").unwrap().into()).collect();
    // Not even those that the container's process is to keep.
    let run = sandbox.runj(["run", "--preserve-fds", "3", &sandbox.id(), "--bundle"]);
    run.args([bundle.dir()]).descriptors(careless).run().succeeded_silently();
    assert_eq!(text(&bundle, "note"), "");
}

fn the_program_is_as_without_hooks(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().probe(["report"]);
    let hook = inside(&bundle, "hook", "umask 077; exit 0");
    let timed = json!([{ "path": hook, "timeout": 100 }, { "path": hook }]);
    let with = sandbox.run(&hooked(bundle, timed)).json();
    let without = sandbox.run(&sandbox.bundle().probe(["report"])).json();
    for property in ["ignored", "blocked", "descriptors", "umask", "leads_session", "cwd", "env"] {
        assert_eq!(with[property], without[property], "{property}");
    }
}

fn the_program_can_come_from_a_hook(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["/program"]);
    let line = "printf '#!/bin/sh\\necho made\\n' > /program; chmod 755 /program";
    let hook = inside(&bundle, "hook", line);
    let bundle = hooked(bundle, json!([{ "path": hook }]));
    assert_eq!(sandbox.run(&bundle).succeeded(), "made\n");
}

/// Starts a container whose hook fails; what `start` says. Nothing is left of it then, but for what
/// its `poststop` hook has written.
#[track_caller]
fn failing(sandbox: &Sandbox<'_>, bundle: Bundle, hooks: Value) -> String {
    let poststop = bundle.script("poststop", "/bin/cat > ${0%/*}/poststop-state");
    let bundle = hooked(bundle, hooks).set("hooks.poststop", json!([{ "path": poststop }]));
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let message = container.verb("start").refused();
    container.verb("state").refused();
    let state = bundle.dir().join("poststop-state");
    let told: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    assert_eq!(told["status"], "stopped");
    fs::remove_file(state).unwrap();
    let notes = ["note", "ran"].map(|name| bundle.rootfs().join(name));
    let noted: Vec<_> = notes.iter().filter_map(|note| fs::read_to_string(note).ok()).collect();
    for note in notes.iter().filter(|note| note.exists()) {
        fs::remove_file(note).unwrap();
    }
    sandbox.host().assert_unchanged_since(&before);
    assert!(!noted.iter().any(|note| note.contains("program")), "{noted:?}");
    message
}

fn one_that_fails_ends_the_container(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("echo program > /ran");
    let good = inside(&bundle, "good", "exit 0");
    let bad = inside(&bundle, "bad", "echo 'no good' >&2; exit 3");
    let after = inside(&bundle, "after", "echo program > /ran");
    let hooks = json!([{ "path": good }, { "path": bad, "timeout": 100 }, { "path": after }]);
    let message = failing(sandbox, bundle, hooks);
    assert_eq!(message, "config.json: hooks.startContainer[1]: \"/bad\": exit status: 3: no good");
}

fn what_one_says_is_no_command_to_a_terminal(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let bad = inside(&bundle, "bad", r"printf 'no\033]0;good\007\302\233m\n\ndone' >&2; exit 3");
    let message = failing(sandbox, bundle, json!([{ "path": bad }]));
    assert!(message.ends_with("\"/bad\": exit status: 3: no?]0;good??m  done"), "{message:?}");
}

fn one_that_is_not_there_ends_the_container(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("echo program > /ran");
    // It is there on the host.
    let script = bundle.script("hook", "exit 0");
    let message = failing(sandbox, bundle, json!([{ "path": script }]));
    assert!(message.starts_with("config.json: hooks.startContainer[0]: "), "{message}");
    assert!(message.ends_with("No such file or directory"), "{message}");
}

fn one_that_a_signal_ends(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("echo program > /ran");
    let hook = inside(&bundle, "hook", "kill -9 $$");
    let message = failing(sandbox, bundle, json!([{ "path": hook }]));
    assert!(message.ends_with("\"/hook\": signal: 9"), "{message}");
}

fn a_time_out_ends_it_and_what_it_started(sandbox: &Sandbox<'_>) {
    // What a shell starts in the background reads from /dev/null.
    let bundle = sandbox.bundle().shell("echo program > /ran");
    let bundle = bundle.mount(json!({ "destination": "/dev", "type": "devfs" }));
    let hook = inside(&bundle, "hook", "sleep 1000 & wait");
    let begin = Instant::now();
    let message = failing(sandbox, bundle, json!([{ "path": hook, "timeout": 1 }]));
    assert!(message.ends_with("it did not end within 1 seconds"), "{message}");
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

fn one_that_stops_its_maker_is_not_waited_for(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let hook = inside(&bundle, "hook", "kill -STOP $PPID");
    let container = sandbox.create(&hooked(bundle, json!([{ "path": hook, "timeout": 1 }])));
    let message = container.verb("start").refused();
    assert!(message.contains("was not started within"), "{message}");
    container.wait_stopped();
}

fn delete_ends_one_that_does_not_end(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let hook = inside(&bundle, "hook", "echo here > /note; sleep 1000");
    let bundle = hooked(bundle, json!([{ "path": hook }]));
    let container = sandbox.create(&bundle);
    let start = sandbox.runj(["start", container.id()]).spawn();
    let note = bundle.rootfs().join("note");
    runj_tests::eventually("the hook to run", || {
        fs::read_to_string(&note).is_ok_and(|note| note == "here\n").then_some(())
    });
    // Its own program does not run yet.
    assert_eq!(container.status(), "created");
    container.delete_by_force();
    start.wait().refused();
}
