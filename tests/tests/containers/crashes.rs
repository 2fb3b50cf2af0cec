//! `runj` is killed at some moment of its work. What it leaves, `delete --force` removes.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use runj_jail::Signal;
use runj_tests::{Bundle, Sandbox};
use serde_json::json;

use crate::case::cases;
use crate::pair::{Pair, has_interface};

cases![
    create_is_killed,
    create_with_interfaces_is_killed,
    start_is_killed,
    delete_is_killed,
    run_is_killed,
    a_container_outlives_its_creator,
];

/// At how many moments of its work a verb is killed.
const MOMENTS: u32 = 40;

/// Moments that are spread over somewhat more than the time that `work` takes.
fn moments(work: impl FnOnce()) -> impl Iterator<Item = Duration> {
    let begin = Instant::now();
    work();
    let whole = begin.elapsed() * 5 / 4;
    (0..MOMENTS).map(move |number| whole * number / MOMENTS)
}

/// A bundle for which there is something of every kind to do.
fn laborious(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox
        .bundle()
        .set("root.readonly", true)
        .mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
        .mount(json!({ "destination": "/dev", "type": "devfs" }))
        .mount(json!({ "destination": "/dev/fd", "type": "fdescfs" }));
    let hook = bundle.script("hook", "exit 0");
    bundle.set("hooks.createRuntime", json!([{ "path": hook }]))
}

/// Calls `runj` and kills it a while later.
fn kill_after<'a>(
    sandbox: &Sandbox<'_>,
    line: impl IntoIterator<Item = &'a Path>,
    delay: Duration,
) {
    let running = sandbox.runj(line.into_iter().map(Path::as_os_str)).spawn();
    // The moment is what is tried out; there is nothing to wait for.
    thread::sleep(delay);
    running.signal(Signal::KILL);
    running.wait();
}

fn paths<'a>(words: &[&'a str], bundle: Option<&'a Bundle>) -> Vec<&'a Path> {
    words.iter().map(|word| Path::new(*word)).chain(bundle.map(Bundle::dir)).collect()
}

/// Whatever the state of things, asking for it works.
#[track_caller]
fn assert_told(sandbox: &Sandbox<'_>, id: &str) {
    sandbox.runj(["list", "--format", "json"]).run().json();
    let outcome = sandbox.runj(["state", id]).run();
    if outcome.status.success() {
        assert_eq!(outcome.json()["id"], id);
    } else {
        assert_eq!(outcome.refused(), format!("container does not exist: {id}"));
    }
}

#[track_caller]
fn delete(sandbox: &Sandbox<'_>, id: &str) {
    sandbox.runj(["delete", "--force", id]).run().succeeded_silently();
}

fn create_is_killed(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox);
    let before = sandbox.host();
    let id = sandbox.id();
    let line = paths(&["create", &id], Some(&bundle));
    for moment in moments(|| sandbox.try_create(&id, &bundle).succeeded_silently()) {
        delete(sandbox, &id);
        sandbox.host().assert_unchanged_since(&before);
        kill_after(sandbox, line.clone(), moment);
        assert_told(sandbox, &id);
    }
    // And it may be created anew, perhaps over what is left.
    delete(sandbox, &id);
    sandbox.host().assert_unchanged_since(&before);
}

fn create_with_interfaces_is_killed(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let network = json!({ "vnet": { "mode": "new", "interfaces": [pair.b.as_ref()] } });
    let bundle = laborious(sandbox).extension(json!({ "network": network }));
    let before = sandbox.host();
    let id = sandbox.id();
    let line = paths(&["create", &id], Some(&bundle));
    for moment in moments(|| sandbox.try_create(&id, &bundle).succeeded_silently()) {
        delete(sandbox, &id);
        sandbox.host().assert_unchanged_since(&before);
        assert!(has_interface(&pair.b));
        kill_after(sandbox, line.clone(), moment);
    }
    delete(sandbox, &id);
    assert!(has_interface(&pair.b));
}

fn start_is_killed(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox);
    let before = sandbox.host();
    let id = sandbox.id();
    sandbox.try_create(&id, &bundle).succeeded_silently();
    let start = || sandbox.runj(["start", &id]).run();
    for moment in moments(|| start().succeeded_silently()) {
        delete(sandbox, &id);
        sandbox.try_create(&id, &bundle).succeeded_silently();
        kill_after(sandbox, paths(&["start", &id], None), moment);
        assert_told(sandbox, &id);
        // Either it had not begun, or it is too late. The container's process may have been told,
        // and not have heard of it yet, so that only what is refused says which.
        let status = sandbox.runj(["state", &id]).run().json()["status"].clone();
        let again = start();
        if again.code() == 0 {
            assert_eq!(status, "created");
        } else {
            let message = again.refused();
            let late = ["running", "stopped"].map(|status| format!("it is {status}, not created"));
            assert!(late.iter().any(|late| message.ends_with(late)), "{message}");
        }
    }
    delete(sandbox, &id);
    sandbox.host().assert_unchanged_since(&before);
}

fn delete_is_killed(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox);
    let before = sandbox.host();
    let id = sandbox.id();
    let create = || sandbox.try_create(&id, &bundle).succeeded_silently();
    create();
    for moment in moments(|| delete(sandbox, &id)) {
        create();
        sandbox.runj(["start", &id]).run().succeeded_silently();
        kill_after(sandbox, paths(&["delete", "--force", &id], None), moment);
        assert_told(sandbox, &id);
        delete(sandbox, &id);
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn run_is_killed(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox).args(["true"]);
    let before = sandbox.host();
    let id = sandbox.id();
    let line = paths(&["run", &id], Some(&bundle));
    let run = || sandbox.runj(["run", &id]).args([bundle.dir()]).run().succeeded_silently();
    for moment in moments(run) {
        kill_after(sandbox, line.clone(), moment);
        assert_told(sandbox, &id);
        delete(sandbox, &id);
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn a_container_outlives_its_creator(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let id = sandbox.id();
    let run = sandbox.runj(["run", &id]).args([bundle.dir()]).spawn();
    runj_tests::eventually("the process", || run.stdout().contains("ready").then_some(()));
    run.signal(Signal::KILL);
    run.wait();
    assert_eq!(sandbox.runj(["state", &id]).run().json()["status"], "running");
    delete(sandbox, &id);
}
