//! The shim, with a real containerd, beside the shim of runc.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench_report::Measure;
use runj_tests::containerd::{Binaries, Engine, IMAGE, Release};
use runj_tests::memory_use;

use crate::samples::Samples;

/// Whose shim, how containerd calls it, and the name of its program.
const SHIMS: &[(&str, &str, &str)] = &[
    ("runj", "wtf.sbk.runj.v1", "containerd-shim-runj-v1"),
    #[cfg(target_os = "linux")]
    ("runc", "io.containerd.runc.v2", "containerd-shim-runc-v2"),
];

/// What the container writes that is to come through as fast as it can.
const OUTPUT_MIB: u16 = 256;

/// How often that, and the memory, is measured.
const ROUNDS: u32 = 5;

/// Measures runj's shim and runc's, in turns, with the newest containerd that there is.
///
/// `RUNJ` and `RUNJ_SHIM` name our programs; the others are found through `PATH`.
pub(crate) fn measure(count: u32, samples: &mut Samples, notes: &mut Vec<String>) -> Result<()> {
    let release = Release::all().pop().context("there is no containerd")?;
    notes.push(format!("The shims: with containerd {}.", release.version));
    let binaries = Binaries::locate();
    let engine = Engine::start(&release, &binaries);
    let ctr = Ctr { program: release.directory.join("ctr"), engine: &engine };
    // Once for nothing.
    let mut nothing = Samples::default();
    ctr.round(&mut nothing)?;
    for _ in 0..count {
        ctr.round(samples)?;
    }
    for _ in 0..ROUNDS {
        ctr.output(samples)?;
    }
    engine.finish();
    Ok(())
}

struct Ctr<'a> {
    program: PathBuf,
    engine: &'a Engine<'a>,
}

impl Ctr<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--address").arg(self.engine.path().join("sock")).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn time(&self, args: &[&str]) -> Result<Duration> {
        let mut command = self.command(args);
        let begun = Instant::now();
        let status = command.status()?;
        let time = begun.elapsed();
        ensure!(status.success(), "{command:?}: {status}");
        Ok(time)
    }

    /// A container that ends at once, then one that sleeps, with each shim.
    fn round(&self, samples: &mut Samples) -> Result<()> {
        for &(name, runtime, program) in SHIMS {
            let id = self.engine.id();
            let run = ["run", "--rm", "--runtime", runtime, IMAGE, &id, "true"];
            samples.time(Measure::ShimRun, name, 0, self.time(&run)?);

            let id = self.engine.id();
            let run = ["run", "--detach", "--runtime", runtime, IMAGE, &id];
            self.time(&[&run[..], &["sleep", "1000"]].concat())?;
            let exec = ["task", "exec", "--exec-id", "e", &id, "true"];
            samples.time(Measure::ShimExec, name, 0, self.time(&exec)?);
            let memory = memory_use(self.engine.shim_by_name(program, &id).pid());
            samples.add(Measure::ShimResident, name, 0, kibibytes(memory.resident)?);
            samples.add(Measure::ShimPrivate, name, 0, kibibytes(memory.private)?);
            if let Some(proportional) = memory.proportional {
                samples.add(Measure::ShimProportional, name, 0, kibibytes(proportional)?);
            }
            self.engine.remove(&id);
        }
        Ok(())
    }

    /// How fast a container's output comes, from the first byte to the last.
    fn output(&self, samples: &mut Samples) -> Result<()> {
        for &(name, runtime, _) in SHIMS {
            let id = self.engine.id();
            let script = format!("dd if=/dev/zero bs=64k count={} 2>&-", OUTPUT_MIB * 16);
            let run = ["run", "--rm", "--runtime", runtime, IMAGE, &id, "sh", "-c", &script];
            let mut command = self.command(&run);
            let mut child = command.stdout(Stdio::piped()).spawn()?;
            let mut output = child.stdout.take().context("a pipe")?;
            let mut buffer = vec![0; 1 << 16];
            let mut bytes = output.read(&mut buffer)?;
            let begun = Instant::now();
            let mut last = begun;
            loop {
                match output.read(&mut buffer)? {
                    0 => break,
                    count => bytes += count,
                }
                last = Instant::now();
            }
            let status = child.wait()?;
            let expected = usize::from(OUTPUT_MIB) << 20;
            ensure!(status.success() && bytes == expected, "{command:?}: {status}, {bytes} bytes");
            let rate = f64::from(OUTPUT_MIB) / (last - begun).as_secs_f64();
            samples.add(Measure::ShimOutput, name, 0, rate);
        }
        Ok(())
    }
}

/// As a sample.
fn kibibytes(number: usize) -> Result<f64> {
    Ok(u32::try_from(number)?.into())
}
