//! Which points a scenario comes to.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock};

use runj_tests::{Sandbox, Step, read_trace};

use crate::scenario::Scenario;
use crate::site::{Site, succeeded};

/// The steps of the scenario's call, in order: those that those before it do not come to, of which it
/// says so.
pub(crate) fn of(sandbox: &Sandbox<'_>, scenario: &Scenario) -> Vec<Step> {
    let others: BTreeSet<Step> =
        scenario.beyond.iter().flat_map(|name| all_of(sandbox, Scenario::named(name))).collect();
    let mut steps = all_of(sandbox, scenario);
    steps.retain(|step| !others.contains(step));
    steps
}

fn all_of(sandbox: &Sandbox<'_>, scenario: &Scenario) -> Vec<Step> {
    static KNOWN: OnceLock<Mutex<HashMap<&'static str, Vec<Step>>>> = OnceLock::new();
    let known = || KNOWN.get_or_init(Mutex::default).lock().unwrap();
    if let Some(steps) = known().get(scenario.name) {
        return steps.clone();
    }
    let site = Site::new(sandbox, scenario.kind);
    (scenario.prepare)(&site);
    let file = sandbox.path().join("output").join(format!("trace-{}", site.id));
    let outcome = (scenario.call)(&site).env("RUNJ_FAULTS_TRACE", &file).run();
    assert_eq!(succeeded(&outcome), scenario.succeeds, "{}", outcome.stderr());
    site.delete();
    let steps = read_trace(&file);
    assert!(!steps.is_empty(), "{} comes to no point", scenario.name);
    known().insert(scenario.name, steps.clone());
    steps
}
