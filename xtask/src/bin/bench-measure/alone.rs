//! One container at a time.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use bench_report::{FLOOR_IN_ONE_PROCESS, Measure};

use crate::bundle::{Bundles, Life, PROGRAM};
use crate::contender::{Contender, Dialect, Lifecycle};
use crate::host;
use crate::samples::Samples;

/// Lets each of them do everything once, for nothing: files come into the cache, directories into
/// being. Others than ours that cannot do it on this machine are left out.
pub(crate) fn warm_up(
    contenders: Vec<Contender>,
    bundles: &Bundles,
    notes: &mut Vec<String>,
) -> Result<Vec<Contender>> {
    let mut able = Vec::new();
    for contender in contenders {
        match sample(&contender, bundles, "warm", &mut Samples::default()) {
            Ok(()) => able.push(contender),
            Err(error) if contender.is_ours() => return Err(error),
            Err(error) => {
                eprintln!("left out: {error:#}");
                notes.push(format!("{} is left out: {error:#}", contender.name()));
            }
        }
    }
    Ok(able)
}

/// Measures lifecycles and verbs of all contenders, in turns.
pub(crate) fn measure(
    contenders: &[Contender],
    bundles: &Bundles,
    count: u32,
    samples: &mut Samples,
) -> Result<()> {
    for number in 0..count {
        for contender in in_turns(contenders, number) {
            sample(contender, bundles, &format!("a{number}"), samples)?;
        }
    }
    Ok(())
}

/// All of them, each time beginning with another: nobody always comes after the same one.
pub(crate) fn in_turns(contenders: &[Contender], number: u32) -> impl Iterator<Item = &Contender> {
    let length = contenders.len();
    let first = usize::try_from(number).unwrap_or_default() % length.max(1);
    contenders.iter().cycle().skip(first).take(length)
}

fn sample(contender: &Contender, bundles: &Bundles, id: &str, samples: &mut Samples) -> Result<()> {
    let name = contender.name();
    let before = host::children_time()?;
    record(contender, contender.lifecycle(bundles, id)?, 0, samples);
    host::collect_all();
    let time = host::children_time()?.saturating_sub(before);
    samples.time(Measure::LifecycleProcessor, name, 0, time);
    if contender.dialect() == Dialect::Floor {
        let time = whole(contender.program(), bundles, id)?;
        samples.time(Measure::Lifecycle, FLOOR_IN_ONE_PROCESS, 0, time);
    }
    contender.launch(bundles, id)?;
    let time = contender.call(&contender.exec(bundles, id), id)?;
    samples.time(Measure::Exec, name, 0, time);
    let time = contender.end(id)?;
    samples.time(Measure::Kill, name, 0, time);
    host::collect_all();
    Ok(())
}

/// Takes a lifecycle to its measures.
pub(crate) fn record(
    contender: &Contender,
    lifecycle: Lifecycle,
    among: u32,
    samples: &mut Samples,
) {
    for (measure, time) in [
        (Measure::Lifecycle, lifecycle.whole()),
        (Measure::Create, lifecycle.create),
        (Measure::Start, lifecycle.start),
        (Measure::State, lifecycle.state),
        (Measure::Delete, lifecycle.delete),
    ] {
        samples.time(measure, contender.name(), among, time);
    }
}

/// The floor in one process, which takes its own time.
fn whole(program: &Path, bundles: &Bundles, id: &str) -> Result<Duration> {
    let bundle = bundles.bundle(Dialect::Floor, Life::Exits, id)?;
    let mut command = Command::new(program);
    command.args(["whole", "--bundle"]).arg(bundle).args([PROGRAM, Life::Exits.argument()]);
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(Duration::from_nanos(String::from_utf8(output.stdout)?.trim().parse()?))
}
