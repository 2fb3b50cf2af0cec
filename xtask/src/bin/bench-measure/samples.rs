//! The numbers as they come in.

use std::collections::BTreeMap;
use std::time::Duration;

use bench_report::{Measure, Series};

/// All numbers, by what they are of.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    all: BTreeMap<(Measure, u32), Vec<Numbers>>,
}

/// A contender's, in the order in which they came.
#[derive(Debug)]
struct Numbers {
    contender: String,
    numbers: Vec<f64>,
}

impl Samples {
    /// Adds a number, in its measure's unit.
    pub(crate) fn add(&mut self, measure: Measure, contender: &str, among: u32, number: f64) {
        let contenders = self.all.entry((measure, among)).or_default();
        match contenders.iter_mut().find(|known| known.contender == contender) {
            Some(known) => known.numbers.push(number),
            // In the order in which they are measured.
            None => {
                let contender = contender.to_owned();
                contenders.push(Numbers { contender, numbers: vec![number] });
            }
        }
    }

    /// Adds a time.
    pub(crate) fn time(&mut self, measure: Measure, contender: &str, among: u32, time: Duration) {
        self.add(measure, contender, among, time.as_secs_f64() * 1000.0);
    }

    /// What they come to.
    pub(crate) fn series(&self) -> Vec<Series> {
        let all = self.all.iter().flat_map(|(&(measure, among), contenders)| {
            contenders.iter().filter_map(move |Numbers { contender, numbers }| {
                Series::new(measure, contender, among, numbers)
            })
        });
        all.collect()
    }
}
