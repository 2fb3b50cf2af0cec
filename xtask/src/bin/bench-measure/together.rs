//! Many containers at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use bench_report::Measure;

use crate::Args;
use crate::alone::in_turns;
use crate::bundle::{Bundles, Life};
use crate::contender::Contender;
use crate::host;
use crate::samples::Samples;

/// How often a number of containers is begun at once, at least, and how many lifecycles a number
/// is worth: few at a time are done more often.
const LEAST_ROUNDS: u32 = 3;
const LIFECYCLES: u32 = 40;

/// Measures lifecycles that are begun at once.
pub(crate) fn measure(
    contenders: &[Contender],
    bundles: &Bundles,
    args: &Args,
    samples: &mut Samples,
    notes: &mut Vec<String>,
) -> Result<()> {
    for &number in &args.together {
        let rounds = (LIFECYCLES.min(args.samples) / number.max(1)).max(LEAST_ROUNDS);
        for round in 0..rounds {
            for contender in in_turns(contenders, round) {
                if number > args.most_of_others && !contender.is_ours() {
                    continue;
                }
                let each = at_once(contender, bundles, number)?;
                samples.add(Measure::Together, contender.name(), number, each);
            }
        }
    }
    let most = args.together.iter().max().copied().unwrap_or_default();
    if most > args.most_of_others && !contenders.iter().all(Contender::is_ours) {
        notes.push(format!(
            "Lifecycles at once: more than {} of runj and of the floor only, for the memory that \
             others need.",
            args.most_of_others
        ));
    }
    Ok(())
}

/// Begins so many lifecycles at once; how many milliseconds it took until all had ended, each.
fn at_once(contender: &Contender, bundles: &Bundles, number: u32) -> Result<f64> {
    let ids: Vec<_> = (0..number).map(|index| format!("t{index}")).collect();
    for id in &ids {
        bundles.bundle(contender.dialect(), Life::Exits, id)?;
    }
    let barrier = &Barrier::new(ids.len());
    // Each tells its own time: whoever waits for them may not get a processor before many are done.
    let lives = thread::scope(|scope| {
        let threads: Vec<_> = ids
            .iter()
            .map(|id| {
                scope.spawn(move || {
                    barrier.wait();
                    let begun = Instant::now();
                    contender.lifecycle(bundles, id)?;
                    Ok::<_, anyhow::Error>((begun, Instant::now()))
                })
            })
            .collect();
        let lives = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread has panicked")).flatten());
        lives.collect::<Result<Vec<_>>>()
    })?;
    host::collect_all();
    let first = lives.iter().map(|(begun, _)| *begun).min();
    let last = lives.iter().map(|(_, ended)| *ended).max();
    let time = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
    Ok(time.as_secs_f64() * 1000.0 / f64::from(number.max(1)))
}
