//! What a `runj` with fault points (`runj_faults`) is told, and tells.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The `count`th time that a process comes to a point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The point's name.
    pub point: String,
    /// Counted from 1.
    pub count: u32,
}

impl Step {
    /// The first time that a process comes to that point.
    #[must_use]
    pub fn first(point: &str) -> Self {
        Self { point: point.to_owned(), count: 1 }
    }

    /// What `FAILPOINTS` has to be for this to happen there, and nowhere else.
    #[must_use]
    pub fn failpoints(&self, action: &str) -> String {
        let others = self.count - 1;
        match others {
            0 => format!("{}=1*return({action})", self.point),
            _ => format!("{}={others}*off->1*return({action})", self.point),
        }
    }

    /// Whether it is one of the shim's own.
    #[must_use]
    pub fn is_of_shim(&self) -> bool {
        self.point.starts_with("shim-")
    }
}

/// Reads what `RUNJ_FAULTS_TRACE` has got by now, in order, each step once: several processes may
/// come to the same.
///
/// # Panics
///
/// When a whole line of it is no step.
#[must_use]
pub fn read_trace(file: &Path) -> Vec<Step> {
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
