//! The shim, with a real containerd, beside the shim of runc.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench_report::Measure;
use runj_tests::containerd::{Binaries, Engine, IMAGE, Release};

use crate::samples::Samples;

/// Whose shim, how containerd calls it, and the name of its program.
const SHIMS: [(&str, &str, &str); 2] = [
    ("runj", "wtf.sbk.runj.v1", "containerd-shim-runj-v1"),
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
    program: std::path::PathBuf,
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
        for (name, runtime, program) in SHIMS {
            let id = self.engine.id();
            let run = ["run", "--rm", "--runtime", runtime, IMAGE, &id, "/bin/true"];
            samples.time(Measure::ShimRun, name, 0, self.time(&run)?);

            let id = self.engine.id();
            let run = ["run", "--detach", "--runtime", runtime, IMAGE, &id];
            self.time(&[&run[..], &["/bin/sleep", "1000"]].concat())?;
            let exec = ["task", "exec", "--exec-id", "e", &id, "/bin/true"];
            samples.time(Measure::ShimExec, name, 0, self.time(&exec)?);
            let memory = Memory::of(program, &id)?;
            samples.add(Measure::ShimResident, name, 0, memory.resident);
            samples.add(Measure::ShimProportional, name, 0, memory.proportional);
            samples.add(Measure::ShimPrivate, name, 0, memory.private);
            self.engine.remove(&id);
        }
        Ok(())
    }

    /// How fast a container's output comes, from the first byte to the last.
    fn output(&self, samples: &mut Samples) -> Result<()> {
        for (name, runtime, _) in SHIMS {
            let id = self.engine.id();
            let script = format!("dd if=/dev/zero bs=64k count={} 2>&-", OUTPUT_MIB * 16);
            let run = ["run", "--rm", "--runtime", runtime, IMAGE, &id, "/bin/sh", "-c", &script];
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

/// What a process has in memory, in KiB.
struct Memory {
    resident: f64,
    proportional: f64,
    private: f64,
}

impl Memory {
    /// That of a container's shim: it has the container's id among its arguments.
    fn of(program: &str, id: &str) -> Result<Self> {
        for entry in fs::read_dir("/proc")? {
            let process = entry?.path();
            let Ok(line) = fs::read(process.join("cmdline")) else { continue };
            let mut words = line.split(|&byte| byte == 0);
            let is_shim = words.next().is_some_and(|word| word.ends_with(program.as_bytes()))
                && words.any(|word| word == id.as_bytes());
            if is_shim {
                return Self::read(&process);
            }
        }
        anyhow::bail!("{id} has no {program}")
    }

    fn read(process: &Path) -> Result<Self> {
        let text = fs::read_to_string(process.join("smaps_rollup"))?;
        let value = |key: &str| -> Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            Ok(line.context("smaps_rollup")?.trim().trim_end_matches(" kB").parse()?)
        };
        Ok(Self {
            resident: value("Rss")?,
            proportional: value("Pss")?,
            private: value("Private_Clean")? + value("Private_Dirty")?,
        })
    }
}
