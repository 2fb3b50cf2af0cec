//! Several calls of `runj` at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use runj_tests::{Bundle, Invocation, OnDrop, Outcome, Sandbox};
use serde_json::Value;

use crate::case::cases;

cases![
    one_create_wins,
    one_start_wins,
    one_delete_wins,
    all_forced_deletes_win,
    start_against_delete,
    kill_against_delete,
    exec_against_delete,
    create_against_delete,
    lists_and_states_meanwhile,
    a_list_shows_whole_containers_whatever_goes_on,
    many_containers_at_once,
    fifty_lifecycles_at_once,
];

/// How many do the same at once.
const CALLERS: usize = 4;

/// How often it is tried.
const ROUNDS: usize = 5;

/// Calls at the same moment; what came of each.
fn at_once(calls: Vec<Invocation>) -> Vec<Outcome> {
    let barrier = Barrier::new(calls.len());
    let call = |invocation: Invocation| {
        barrier.wait();
        invocation.run()
    };
    let call = &call;
    thread::scope(|scope| {
        let threads: Vec<_> =
            calls.into_iter().map(|invocation| scope.spawn(move || call(invocation))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Exactly one succeeded; the messages of the others.
#[track_caller]
fn one_winner(outcomes: &[Outcome]) -> Vec<String> {
    let (won, lost): (Vec<_>, Vec<_>) =
        outcomes.iter().partition(|outcome| outcome.status.success());
    assert_eq!(won.len(), 1, "{outcomes:?}");
    won[0].succeeded_silently();
    lost.iter().map(|outcome| outcome.refused()).collect()
}

fn one_create_wins(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for _ in 0..ROUNDS {
        let id = sandbox.id();
        let create = || sandbox.runj(["create", &id, "--bundle"]).args([bundle.dir()]);
        let outcomes = at_once((0..CALLERS).map(|_| create()).collect());
        for message in one_winner(&outcomes) {
            assert_eq!(message, format!("container with given ID already exists: {id}"));
        }
        assert_eq!(sandbox.runj(["state", &id]).run().json()["status"], "created");
        sandbox.runj(["delete", &id]).run().succeeded_silently();
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn one_start_wins(sandbox: &Sandbox<'_>) {
    for _ in 0..ROUNDS {
        let container = sandbox.create(&sandbox.bundle());
        let start = || sandbox.runj(["start", container.id()]);
        let outcomes = at_once((0..CALLERS).map(|_| start()).collect());
        for message in one_winner(&outcomes) {
            assert!(message.ends_with("it is running, not created"), "{message}");
        }
        assert_eq!(container.wait_line(0)["ready"], true);
        assert_eq!(container.lines().len(), 1, "it was started once");
    }
}

fn one_delete_wins(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for _ in 0..ROUNDS {
        let container = sandbox.create(&bundle);
        let delete = || sandbox.runj(["delete", container.id()]);
        let outcomes = at_once((0..CALLERS).map(|_| delete()).collect());
        for message in one_winner(&outcomes) {
            assert_eq!(message, format!("container does not exist: {}", container.id()));
        }
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn all_forced_deletes_win(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for _ in 0..ROUNDS {
        let container = sandbox.start(&bundle);
        let delete = || sandbox.runj(["delete", "--force", container.id()]);
        for outcome in at_once((0..CALLERS).map(|_| delete()).collect()) {
            outcome.succeeded_silently();
        }
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn start_against_delete(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for _ in 0..2 * ROUNDS {
        let container = sandbox.create(&bundle);
        let start = sandbox.runj(["start", container.id()]);
        let delete = sandbox.runj(["delete", "--force", container.id()]);
        let outcomes = at_once(vec![start, delete]);
        // Whether it came to run in between or not.
        if !outcomes[0].status.success() {
            outcomes[0].refused();
        }
        outcomes[1].succeeded_silently();
        sandbox.host().assert_unchanged_since(&before);
    }
}

/// It did its work, or came when the container was on its way out.
#[track_caller]
fn assert_done_or_too_late(outcome: &Outcome, id: &str) {
    if outcome.status.success() {
        outcome.succeeded_silently();
        return;
    }
    let message = outcome.refused();
    let too_late = [
        format!("container does not exist: {id}"),
        "container not running".into(),
        "ended before it could be started".into(),
        "entering the jail".into(),
    ];
    assert!(too_late.iter().any(|text| message.contains(text)), "{message}");
}

fn kill_against_delete(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for round in 0..4 * ROUNDS {
        let container = sandbox.start(&bundle);
        let id = container.id();
        let mut kill = sandbox.runj(["kill", id, "TERM"]);
        if round % 2 == 1 {
            kill = kill.args(["--all"]);
        }
        let outcomes = at_once(vec![kill, sandbox.runj(["delete", "--force", id])]);
        assert_done_or_too_late(&outcomes[0], id);
        outcomes[1].succeeded_silently();
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn exec_against_delete(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for _ in 0..4 * ROUNDS {
        let container = sandbox.start(&bundle);
        let exec = || container.exec([], ["sleep", "1000"]);
        let delete = sandbox.runj(["delete", "--force", container.id()]);
        let outcomes = at_once(vec![exec(), exec(), delete]);
        for exec in &outcomes[..2] {
            // It ended as its process did, by SIGKILL, if there was one.
            if exec.status.code() != Some(137) {
                assert!(!exec.status.success());
                assert_done_or_too_late(exec, container.id());
            }
        }
        outcomes[2].succeeded_silently();
        // Nor does any process of theirs go on.
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn create_against_delete(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    for _ in 0..4 * ROUNDS {
        let id = sandbox.id();
        let create = sandbox.runj(["create", &id, "--bundle"]).args([bundle.dir()]);
        let delete = sandbox.runj(["delete", "--force", &id]);
        let outcomes = at_once(vec![create, delete]);
        if outcomes[0].status.success() {
            outcomes[0].succeeded_silently();
        } else {
            outcomes[0].refused();
        }
        outcomes[1].succeeded_silently();
        // It may have been made after all, and then it is a whole one.
        let state = sandbox.runj(["state", &id]).run();
        if state.status.success() {
            assert_eq!(state.json()["status"], "created");
            sandbox.runj(["delete", &id]).run().succeeded_silently();
        } else {
            assert_eq!(state.refused(), format!("container does not exist: {id}"));
        }
        sandbox.host().assert_unchanged_since(&before);
    }
}

/// One of these containers, with all that it has to have.
#[track_caller]
fn assert_whole(row: &Value, ids: &[String]) {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    assert!(ids.contains(&text("id")), "{row}");
    for key in ["ociVersion", "bundle", "rootfs", "created"] {
        assert!(!text(key).is_empty(), "{key}: {row}");
    }
    match &*text("status") {
        "created" | "running" | "paused" => {
            assert!(row["pid"].as_i64() > Some(0) && row["jid"].as_i64() > Some(0), "{row}");
        }
        "stopped" => assert_eq!(row["pid"], 0, "{row}"),
        status => assert_eq!(status, "creating", "{row}"),
    }
}

fn a_list_shows_whole_containers_whatever_goes_on(sandbox: &Sandbox<'_>) {
    let bundles: Vec<_> = (0..CALLERS).map(|_| sandbox.bundle()).collect();
    let ids: Vec<_> = bundles.iter().map(|_| sandbox.id()).collect();
    let before = sandbox.host();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let list = sandbox.runj(["list", "--format", "json"]).run().json();
                let rows = list.as_array().unwrap();
                rows.iter().for_each(|row| assert_whole(row, &ids));
                assert!(rows.is_sorted_by(|a, b| a["id"].as_str() < b["id"].as_str()), "{list}");
                seen += rows.len();
            }
            seen
        });
        let _finish = OnDrop(&done);
        let workers = ids.iter().zip(&bundles).map(|(id, bundle)| {
            let call = move |verb: &[&str]| sandbox.runj(verb).args([id]).run();
            scope.spawn(move || {
                for round in 0..2 * ROUNDS {
                    sandbox.try_create(id, bundle).succeeded_silently();
                    if round % 2 == 0 {
                        call(&["start"]).succeeded_silently();
                        call(&["pause"]).succeeded_silently();
                        call(&["resume"]).succeeded_silently();
                        call(&["kill"]).succeeded_silently();
                    }
                    call(&["delete", "--force"]).succeeded_silently();
                }
            })
        });
        workers.collect::<Vec<_>>().into_iter().for_each(|worker| worker.join().unwrap());
        done.store(true, Ordering::Relaxed);
        assert!(watcher.join().unwrap() > 0, "nothing was ever seen");
    });
    sandbox.host().assert_unchanged_since(&before);
}

fn lists_and_states_meanwhile(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let id = sandbox.id();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = Vec::new();
            while !done.load(Ordering::Relaxed) {
                for row in
                    sandbox.runj(["list", "--format", "json"]).run().json().as_array().unwrap()
                {
                    assert_eq!(row["id"], id.as_str());
                    seen.push(row["status"].as_str().unwrap().to_owned());
                }
                let state = sandbox.runj(["state", &id]).run();
                if state.status.success() {
                    seen.push(state.json()["status"].as_str().unwrap().to_owned());
                } else {
                    assert_eq!(state.refused(), format!("container does not exist: {id}"));
                }
            }
            seen
        });
        let finish = OnDrop(&done);
        for _ in 0..2 * ROUNDS {
            sandbox.try_create(&id, &bundle).succeeded_silently();
            sandbox.runj(["start", &id]).run().succeeded_silently();
            sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
        }
        drop(finish);
        let seen = watcher.join().unwrap();
        assert!(!seen.is_empty(), "nothing was ever seen");
    });
}

fn many_containers_at_once(sandbox: &Sandbox<'_>) {
    let bundles: Vec<_> = (0..2 * CALLERS)
        .map(|status| sandbox.bundle().probe(["exit", &status.to_string()]))
        .collect();
    let before = sandbox.host();
    let run =
        |bundle: &Bundle| sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    let outcomes = at_once(bundles.iter().map(run).collect());
    for (status, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.code().to_string(), status.to_string(), "{}", outcome.stderr());
    }
    sandbox.host().assert_unchanged_since(&before);
}

fn fifty_lifecycles_at_once(sandbox: &Sandbox<'_>) {
    let bundles: Vec<_> = (0..50).map(|_| sandbox.bundle()).collect();
    let before = sandbox.host();
    thread::scope(|scope| {
        for bundle in &bundles {
            scope.spawn(|| {
                let container = sandbox.start(bundle);
                assert_eq!(container.status(), "running");
                container.exec([], ["true"]).run().succeeded_silently();
                container.end();
            });
        }
    });
    sandbox.host().assert_unchanged_since(&before);
}
