//! Numbers of one kind.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// `create`, `start`, `state` and `delete` of a container whose program ends at once; the
    /// program's own life is not counted.
    Lifecycle,
    /// The time that processors worked for a lifecycle, the program's life and that of processes
    /// that the runtime leaves included.
    LifecycleProcessor,
    /// `create`, in a lifecycle.
    Create,
    /// `start`, in a lifecycle.
    Start,
    /// `state`, in a lifecycle.
    State,
    /// `exec` of a program that ends at once, in a container that runs.
    Exec,
    /// `kill`, of a container that runs.
    Kill,
    /// `delete`, in a lifecycle.
    Delete,
    /// `list`, among the containers that there are.
    List,
    /// A lifecycle when so many are begun at once: the time until all have ended, divided by
    /// their number.
    Together,
    /// The most memory that was resident in `create` or in a process that it waited for.
    PeakOfCreate,
    /// The same of `start`.
    PeakOfStart,
    /// The same of `state`.
    PeakOfState,
    /// The same of `exec`.
    PeakOfExec,
    /// The same of `delete`.
    PeakOfDelete,
    /// `ctr run --rm` of a program that ends at once, with the contender's shim.
    ShimRun,
    /// `ctr task exec` of a program that ends at once.
    ShimExec,
    /// What comes through `ctr run` of a program that writes without end.
    ShimOutput,
    /// Memory resident in a shim whose container sleeps (Linux: `Rss`).
    ShimResident,
    /// The same, where what is shared counts in part (Linux: `Pss`).
    ShimProportional,
    /// What of it nobody shares (Linux: `Private_Clean` and `Private_Dirty`; FreeBSD: what is in
    /// mappings that can be written to).
    ShimPrivate,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// KiB.
    #[serde(rename = "KiB")]
    Kibibytes,
    /// MiB in a second.
    #[serde(rename = "MiB/s")]
    MebibytesPerSecond,
}

impl Measure {
    /// The unit of its numbers.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Lifecycle
            | Self::LifecycleProcessor
            | Self::Create
            | Self::Start
            | Self::State
            | Self::Exec
            | Self::Kill
            | Self::Delete
            | Self::List
            | Self::Together
            | Self::ShimRun
            | Self::ShimExec => Unit::Milliseconds,
            Self::PeakOfCreate
            | Self::PeakOfStart
            | Self::PeakOfState
            | Self::PeakOfExec
            | Self::PeakOfDelete
            | Self::ShimResident
            | Self::ShimProportional
            | Self::ShimPrivate => Unit::Kibibytes,
            Self::ShimOutput => Unit::MebibytesPerSecond,
        }
    }

    /// What it is called in a table or a picture.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Lifecycle => "lifecycle",
            Self::LifecycleProcessor => "lifecycle, processor time",
            Self::Create => "create",
            Self::Start => "start",
            Self::State => "state",
            Self::Exec => "exec",
            Self::Kill => "kill",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Together => "lifecycles at once, each",
            Self::PeakOfCreate => "peak memory of create",
            Self::PeakOfStart => "peak memory of start",
            Self::PeakOfState => "peak memory of state",
            Self::PeakOfExec => "peak memory of exec",
            Self::PeakOfDelete => "peak memory of delete",
            Self::ShimRun => "ctr run --rm",
            Self::ShimExec => "ctr task exec",
            Self::ShimOutput => "output through the shim",
            Self::ShimResident => "sleeping shim, resident",
            Self::ShimProportional => "sleeping shim, proportional",
            Self::ShimPrivate => "sleeping shim, private",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milliseconds => "ms",
            Self::Kibibytes => "KiB",
            Self::MebibytesPerSecond => "MiB/s",
        })
    }
}

/// One contender's numbers of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What was measured.
    pub measure: Measure,
    /// What it was measured of.
    pub contender: String,
    /// How many containers there were besides, or were begun at once.
    pub among: u32,
    /// What the numbers count.
    pub unit: Unit,
    /// How often it was measured.
    pub samples: usize,
    /// The numbers.
    pub spread: Spread,
    /// The median as a multiple of the floor's.
    pub to_floor: Option<f64>,
}

/// How some numbers lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The smallest one.
    pub least: f64,
    /// A quarter of them are smaller.
    pub lower: f64,
    /// Half of them are smaller.
    pub median: f64,
    /// Three quarters of them are smaller.
    pub upper: f64,
    /// The largest one.
    pub most: f64,
}

impl Series {
    /// Some samples; `None` of no samples.
    #[must_use]
    pub fn new(measure: Measure, contender: &str, among: u32, samples: &[f64]) -> Option<Self> {
        Some(Self {
            measure,
            contender: contender.to_owned(),
            among,
            unit: measure.unit(),
            samples: samples.len(),
            spread: Spread::of(samples)?,
            to_floor: None,
        })
    }
}

impl Spread {
    /// That of these numbers; `None` of none, or where one is no number.
    #[must_use]
    pub fn of(numbers: &[f64]) -> Option<Self> {
        if numbers.iter().any(|number| number.is_nan()) {
            return None;
        }
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&least, &most) = (sorted.first()?, sorted.last()?);
        // The quartiles are the medians of the halves, without the middle one of an odd number
        // (Moore and McCabe); a single number is its own.
        let half = sorted.len() / 2;
        let (below, above) = (&sorted[..half], &sorted[sorted.len() - half..]);
        let median = median(&sorted)?;
        let lower = self::median(below).unwrap_or(median);
        let upper = self::median(above).unwrap_or(median);
        Some(Self { least, lower, median, upper, most })
    }
}

/// The middle of sorted numbers, or the mean of the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let &upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    sorted.get(middle.checked_sub(1)?).map(|lower| f64::midpoint(*lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five(numbers: &[f64]) -> Option<[f64; 5]> {
        Spread::of(numbers).map(|s| [s.least, s.lower, s.median, s.upper, s.most])
    }

    #[test]
    fn quartiles_are_the_medians_of_the_halves() {
        assert_eq!(five(&[]), None);
        assert_eq!(five(&[1.0, f64::NAN]), None);
        assert_eq!(five(&[7.0]), Some([7.0; 5]));
        assert_eq!(five(&[3.0, 1.0]), Some([1.0, 1.0, 2.0, 3.0, 3.0]));
        assert_eq!(five(&[5.0, 1.0, 4.0, 2.0, 3.0]), Some([1.0, 1.5, 3.0, 4.5, 5.0]));
        assert_eq!(five(&[4.0, 3.0, 2.0, 1.0]), Some([1.0, 1.5, 2.5, 3.5, 4.0]));
    }
}
