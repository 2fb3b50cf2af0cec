//! The memory of a runtime's commands.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use bench_report::Measure;

use crate::alone::in_turns;
use crate::bundle::{Bundles, Life};
use crate::contender::Contender;
use crate::samples::Samples;

/// The numbers hardly differ.
const SAMPLES: u32 = 5;

/// Measures the commands of a lifecycle, each called by a small program, `floor`.
pub(crate) fn measure(
    contenders: &[Contender],
    bundles: &Bundles,
    floor: &Path,
    samples: &mut Samples,
) -> Result<()> {
    for number in 0..SAMPLES {
        for contender in in_turns(contenders, number) {
            let id = &format!("p{number}");
            let mut peak = |measure, arguments: &[String]| -> Result<()> {
                let mut command = Command::new(floor);
                command.arg("peak").arg(contender.program()).args(arguments);
                // No pipe: what is left of the command, a container's process, may hold it open.
                let output = command.stderr(Stdio::inherit()).output()?;
                ensure!(output.status.success(), "{command:?}: {}", output.status);
                let kibibytes = String::from_utf8(output.stdout)?.trim().parse()?;
                samples.add(measure, contender.name(), 0, kibibytes);
                Ok(())
            };
            let create = contender.create(bundles, Life::Waits, id)?;
            peak(Measure::PeakOfCreate, &create)?;
            peak(Measure::PeakOfStart, &contender.arguments(&["start", id]))?;
            peak(Measure::PeakOfState, &contender.arguments(&["state", id]))?;
            peak(Measure::PeakOfExec, &contender.exec(bundles, id))?;
            contender.end(id)?;
            // Of one whose program has ended.
            let id = &format!("q{number}");
            contender.launch(bundles, id)?;
            contender.kill(id)?;
            peak(Measure::PeakOfDelete, &contender.arguments(&["delete", id]))?;
        }
    }
    Ok(())
}
