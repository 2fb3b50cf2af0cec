//! SECURITY.md names the tests of each promise, and these are there.

use std::collections::BTreeSet;

use runj_tests::Sandbox;

use crate::case::cases;

cases![every_promise_has_tests_that_exist: Nothing];

const PAGE: &str = include_str!("../../../SECURITY.md");

/// Those of the shim.
const TASK: &str = include_str!("../../../runj-shim/tests/task/rough.rs");

fn every_promise_has_tests_that_exist(_: &Sandbox<'_>) {
    let themes = crate::themes();
    let names: BTreeSet<String> = themes
        .iter()
        .flat_map(|theme| theme.cases.iter().map(|case| format!("{}::{}", theme.name, case.name)))
        .collect();
    let rows = PAGE.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut promises = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let [promise, _, tests] = cells.as_slice() else { panic!("three cells: {row}") };
        let tests: Vec<_> = tests.split(',').map(|test| test.trim().trim_matches('`')).collect();
        for test in tests {
            let exists = match test.strip_prefix("task::") {
                Some(case) => TASK.contains(&format!("async fn {case}(")),
                None => names.contains(test),
            };
            assert!(exists, "{promise}: {test}");
        }
        promises += 1;
    }
    assert!(promises > 20, "the table was not found");
}
