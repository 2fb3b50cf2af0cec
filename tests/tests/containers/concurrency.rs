//! Several calls of `runj` at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use runj_tests::{Bundle, Invocation, OnDrop, Outcome, Sandbox};

use crate::case::cases;

cases![
    one_create_wins,
    one_start_wins,
    one_delete_wins,
    all_forced_deletes_win,
    start_against_delete,
    lists_and_states_meanwhile,
    many_containers_at_once,
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
