//! Which points a shim, and what it calls, come to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The `count`th time that a process comes to a point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Whether it is one of the shim's own.
    pub(crate) fn is_of_shim(&self) -> bool {
        self.point.starts_with("shim-")
    }
}

/// Reads what `RUNJ_FAULTS_TRACE` has got by now, in order, each step once.
pub(crate) fn read(file: &Path) -> Vec<Step> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut seen = BTreeSet::new();
    whole
        .lines()
        .map(|line| {
            let (point, count) = line.split_once(' ').unwrap();
            Step { point: point.to_owned(), count: count.parse().unwrap() }
        })
        .filter(|step| seen.insert(step.clone()))
        .collect()
}
