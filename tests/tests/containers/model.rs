//! Verbs in any order, against a model of what a container's states are.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use runj_tests::{Bundle, Outcome, Sandbox};

use crate::case::cases;

cases![any_verbs_in_any_order];

/// What a container is doing; what is not there is in no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Created,
    Running,
    Paused { started: bool },
    Stopped,
}

impl State {
    /// What `runj` calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Create,
    Start,
    Kill,
    KillAll,
    Exec,
    Pause,
    Resume,
    Delete,
    DeleteByForce,
}

/// One call: what, and for which of two containers.
#[derive(Clone, Copy, Debug)]
struct Call {
    verb: Verb,
    container: usize,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    // What leads onwards is more frequent, so that every state is come to.
    let verb = prop_oneof![
        4 => Just(Verb::Create),
        4 => Just(Verb::Start),
        2 => Just(Verb::Kill),
        1 => Just(Verb::KillAll),
        2 => Just(Verb::Exec),
        2 => Just(Verb::Pause),
        2 => Just(Verb::Resume),
        2 => Just(Verb::Delete),
        1 => Just(Verb::DeleteByForce),
    ];
    vec((verb, 0..2usize).prop_map(|(verb, container)| Call { verb, container }), 1..16)
}

/// What the call does to a container in that state; an error when it is refused.
fn expected(verb: Verb, state: Option<State>) -> Result<Option<State>, &'static str> {
    use State::{Created, Paused, Running, Stopped};
    match (verb, state) {
        (Verb::Create, None) => Ok(Some(Created)),
        (Verb::Create, Some(_)) => Err("already exists"),
        (Verb::DeleteByForce, _) => Ok(None),
        (_, None) => Err("does not exist"),
        (Verb::Start, Some(Created)) => Ok(Some(Running)),
        (Verb::Start, Some(_)) => Err("not created"),
        (Verb::Kill | Verb::KillAll, Some(Created | Running | Paused { .. })) => Ok(Some(Stopped)),
        (Verb::Exec, Some(state @ (Created | Running))) => Ok(Some(state)),
        (Verb::Pause, Some(Created)) => Ok(Some(Paused { started: false })),
        (Verb::Pause, Some(Running)) => Ok(Some(Paused { started: true })),
        (Verb::Pause, Some(_)) => Err("not running"),
        (Verb::Resume, Some(Paused { started: false })) => Ok(Some(Created)),
        (Verb::Resume, Some(Paused { started: true })) => Ok(Some(Running)),
        (Verb::Resume, Some(_)) => Err("not paused"),
        (Verb::Exec, Some(Paused { .. })) => Err("container not running"),
        (Verb::Kill | Verb::KillAll | Verb::Exec, Some(Stopped)) => Err("container not running"),
        (Verb::Delete, Some(Paused { .. })) => Err("it is paused"),
        (Verb::Delete, Some(Created | Stopped)) => Ok(None),
        (Verb::Delete, Some(Running)) => Err("it is running"),
    }
}

fn call(sandbox: &Sandbox<'_>, bundle: &Bundle, verb: Verb, id: &str) -> Outcome {
    let runj = match verb {
        Verb::Create => return sandbox.try_create(id, bundle),
        Verb::Start => sandbox.runj(["start", id]),
        Verb::Kill => sandbox.runj(["kill", id, "KILL"]),
        Verb::KillAll => sandbox.runj(["kill", "--all", id, "KILL"]),
        Verb::Exec => sandbox.runj(["exec", id, "true"]),
        Verb::Pause => sandbox.runj(["pause", id]),
        Verb::Resume => sandbox.runj(["resume", id]),
        Verb::Delete => sandbox.runj(["delete", id]),
        Verb::DeleteByForce => sandbox.runj(["delete", "--force", id]),
    };
    runj.run()
}

/// What `runj` says a container is doing.
fn told(sandbox: &Sandbox<'_>, id: &str) -> Option<String> {
    let outcome = sandbox.runj(["state", id]).run();
    if !outcome.status.success() {
        assert_eq!(outcome.refused(), format!("container does not exist: {id}"));
        return None;
    }
    Some(outcome.json()["status"].as_str().unwrap().to_owned())
}

fn any_verbs_in_any_order(sandbox: &Sandbox<'_>) {
    let bundles = [sandbox.bundle(), sandbox.bundle()];
    let before = sandbox.host();
    let config = Config {
        cases: 30,
        failure_persistence: None,
        max_shrink_time: 20_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&calls(), |calls| {
        let ids = [sandbox.id(), sandbox.id()];
        let mut model: BTreeMap<&str, State> = BTreeMap::new();
        for Call { verb, container } in calls {
            let id = ids[container].as_str();
            let outcome = call(sandbox, &bundles[container], verb, id);
            match expected(verb, model.get(id).copied()) {
                Ok(state) => {
                    outcome.succeeded_silently();
                    match state {
                        Some(state) => model.insert(id, state),
                        None => model.remove(id),
                    };
                }
                Err(reason) => {
                    let message = outcome.refused();
                    prop_assert!(message.contains(reason), "{reason:?} is not in {message:?}");
                }
            }
            for id in ids.iter().map(String::as_str) {
                let expected = model.get(id).map(|state| state.name().to_owned());
                if expected.as_deref() == Some("stopped") {
                    // The end of a process takes a moment.
                    runj_tests::eventually("the process to end", || {
                        (told(sandbox, id) == expected).then_some(())
                    });
                }
                prop_assert_eq!(told(sandbox, id), expected);
            }
            let list = sandbox.runj(["list", "--quiet"]).run().succeeded();
            let listed: Vec<&str> = list.lines().collect();
            prop_assert_eq!(listed, model.keys().copied().collect::<Vec<_>>());
        }
        for id in &ids {
            sandbox.runj(["delete", "--force", id]).run().succeeded_silently();
        }
        sandbox.host().assert_unchanged_since(&before);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
