//! That nothing is left out, and nothing is put in that people do not need.

use std::collections::BTreeSet;
use std::env::consts::OS;
use std::fs;

use runj_faults::{InitPoint, Point};
use runj_tests::{Programs, Sandbox, enforces_limits};

use crate::scenario::Scenario;
use crate::trace;

/// A case by its name.
pub(crate) type Case = (&'static str, fn(&Sandbox<'_>));

pub(crate) const CASES: &[Case] = &[
    ("complete::every_point_is_reached", every_point_is_reached),
    ("complete::programs_for_people_have_none", programs_for_people_have_none),
];

/// Who adds a point that no scenario comes to has to add a scenario.
fn every_point_is_reached(sandbox: &Sandbox<'_>) {
    let reached: BTreeSet<String> = Scenario::ALL
        .iter()
        .flat_map(|scenario| trace::of(sandbox, scenario))
        .map(|step| step.point)
        .collect();
    let here = |only_on: Option<&str>| only_on.is_none_or(|system| system == OS);
    let limits = [Point::AddRule, Point::ReplaceRule, Point::SetCpus, Point::RemoveRule];
    let ours = Point::ALL
        .iter()
        .filter(|point| here(point.only_on()))
        // The shim's tests come to these.
        .filter(|point| !point.name().starts_with("shim-"))
        .filter(|point| enforces_limits() || !limits.contains(point))
        .map(|point| point.name());
    let of_init = InitPoint::ALL.iter().filter(|point| here(point.only_on()));
    let all = ours.chain(of_init.map(|point| point.name()));
    let missing: Vec<_> = all.filter(|point| !reached.contains(*point)).collect();
    assert!(missing.is_empty(), "no scenario comes to {missing:?}");
}

/// The same program without the feature has nothing of it, not even the words.
fn programs_for_people_have_none(sandbox: &Sandbox<'_>) {
    let plain = Programs::locate(env!("CARGO_BIN_EXE_runj-probe"));
    let plain = Sandbox::new(&plain).runj_program();
    let has = |program: &std::path::Path, words: &str| {
        fs::read(program).unwrap().windows(words.len()).any(|part| part == words.as_bytes())
    };
    for words in ["FAILPOINTS", "RUNJ_FAULTS_TRACE", Point::RemoveMountPoint.name()] {
        assert!(has(&sandbox.runj_program(), words), "{words}: the search finds nothing");
        assert!(!has(&plain, words), "{words} is in runj");
    }
}
