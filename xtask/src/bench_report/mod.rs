//! What `cargo xtask bench` finds out: the document that the program that measures writes, and
//! that the pictures are drawn from.

mod series;

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use series::{Measure, Series, Spread, Unit};

/// The name of the contender that makes only the system calls that the job needs, in as many
/// processes as a runtime's commands are. All others are compared with it.
pub const FLOOR: &str = "floor";

/// The name of the one that makes them in a single process.
pub const FLOOR_IN_ONE_PROCESS: &str = "floor, one process";

/// One run of the benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it began, in UTC, as RFC 3339 has it.
    pub begun: String,
    /// The command that made it.
    pub command: String,
    /// Where it was made.
    pub machine: Machine,
    /// What was measured.
    pub contenders: Vec<Contender>,
    /// What came of it.
    pub series: Vec<Series>,
    /// What was left out, and why, a sentence each.
    pub notes: Vec<String>,
}

/// The machine of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system, release and architecture, as uname(1) has them.
    pub system: String,
    /// The processor's name, as the kernel tells it.
    pub processor: String,
    /// How many processors this process may use.
    pub processors: usize,
    /// Physical memory, in MiB.
    pub memory_mib: u64,
    /// How many processes wanted a processor when it began, averaged over a minute: what the
    /// machine did besides.
    pub load: Option<f64>,
}

/// A program that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contender {
    /// What the report calls it.
    pub name: String,
    /// The first line of what it prints with `--version`.
    pub version: String,
    /// How large its file is.
    pub bytes: u64,
}

impl Report {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no report.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(path, text)
    }

    /// A contender's series, `among` so many other containers.
    #[must_use]
    pub fn find(&self, measure: Measure, contender: &str, among: u32) -> Option<&Series> {
        self.series.iter().find(|series| {
            (series.measure, series.contender.as_str(), series.among) == (measure, contender, among)
        })
    }

    /// How a series compares with the same of another contender: the quotient of the medians.
    #[must_use]
    pub fn ratio(&self, series: &Series, to: &str) -> Option<f64> {
        let other = self.find(series.measure, to, series.among)?.spread.median;
        (other > 0.0).then(|| series.spread.median / other)
    }

    /// Fills in what each series is as a multiple of the floor's.
    pub fn compare(&mut self) {
        let ratios: Vec<_> = self.series.iter().map(|series| self.ratio(series, FLOOR)).collect();
        for (series, ratio) in self.series.iter_mut().zip(ratios) {
            series.to_floor = ratio;
        }
    }
}
