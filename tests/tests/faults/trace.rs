//! Which points a scenario comes to.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use runj_tests::Sandbox;

use crate::scenario::Scenario;
use crate::site::{Site, succeeded};

/// The `count`th time that a process comes to a point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Step {
    pub(crate) point: String,
    pub(crate) count: u32,
}

impl Step {
    /// What `FAILPOINTS` has to be for this to happen there, and nowhere else.
    pub(crate) fn failpoints(&self, action: &str) -> String {
        let others = self.count - 1;
        match others {
            0 => format!("{}=1*return({action})", self.point),
            _ => format!("{}={others}*off->1*return({action})", self.point),
        }
    }
}

/// Reads what `RUNJ_FAULTS_TRACE` has got, in order.
pub(crate) fn read(file: &Path) -> Vec<Step> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let step = |line: &str| {
        let (point, count) = line.split_once(' ').unwrap();
        Step { point: point.to_owned(), count: count.parse().unwrap() }
    };
    whole.lines().map(step).collect()
}

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
    let mut steps = read(&file);
    // The process of a container goes its way beside.
    let mut seen = BTreeSet::new();
    steps.retain(|step| seen.insert(step.clone()));
    assert!(!steps.is_empty(), "{} comes to no point", scenario.name);
    known().insert(scenario.name, steps.clone());
    steps
}
