//! One container among many that run.

use anyhow::Result;
use bench_report::Measure;

use crate::Args;
use crate::alone::record;
use crate::bundle::Bundles;
use crate::contender::Contender;
use crate::host;
use crate::samples::Samples;

/// The most samples at a number of containers.
const SAMPLES: u32 = 20;

/// Measures `list` and a lifecycle among numbers of containers that run, one contender after the
/// other: the containers of one would slow another's kernel calls down.
pub(crate) fn measure(
    contenders: &[Contender],
    bundles: &Bundles,
    args: &Args,
    samples: &mut Samples,
    notes: &mut Vec<String>,
) -> Result<()> {
    let mut numbers = args.among.clone();
    numbers.sort_unstable();
    for contender in contenders {
        let mut ids = Vec::new();
        let mut measured = || -> Result<()> {
            for &number in &numbers {
                if number > args.most_of_others && !contender.is_ours() {
                    break;
                }
                for index in u32::try_from(ids.len())?..number {
                    let id = format!("m{index}");
                    // Known before it is there, so that it is ended whatever happens.
                    ids.push(id.clone());
                    contender.launch(bundles, &id)?;
                }
                for index in 0..args.samples.min(SAMPLES) {
                    if contender.lists() {
                        let time = contender.call(&contender.arguments(&["list"]), "list")?;
                        samples.time(Measure::List, contender.name(), number, time);
                    }
                    // Among none it has been measured.
                    if number > 0 {
                        let lifecycle = contender.lifecycle(bundles, &format!("a{index}"))?;
                        record(contender, lifecycle, number, samples);
                        host::collect_all();
                    }
                }
            }
            Ok(())
        };
        let outcome = measured();
        let ended = ids.iter().try_for_each(|id| contender.end(id).map(drop));
        host::collect_all();
        outcome?;
        ended?;
    }
    notes.push(
        "Among many containers: each of them runs, with a process and three mounts of its own; \
         one runtime was measured after the other, not in turns."
            .to_owned(),
    );
    Ok(())
}
