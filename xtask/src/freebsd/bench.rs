//! `cargo xtask freebsd bench`: the benchmark, on a FreeBSD machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use super::machine::Machine;
use super::standard_library::Purpose;
use super::test::pack_containerd;
use crate::bench::{Extent, conclude, this_command};
use crate::build::{build, find};
use crate::run::command_line;

/// Where the programs and the script are put together.
const PAYLOAD: &str = "target/freebsd/payload-bench";

/// What the machine says before it says the report.
const MARK: &str = "==== report ====";

/// Measures runj beside its floor and other runtimes on a FreeBSD machine
///
/// Builds what it needs, statically linked, and has it run as root on the machine; ocijail and the
/// runj that is written in Go are measured as well where they are installed. Writes
/// docs/bench/freebsd.json and freebsd.svg.
#[derive(Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    machine: Machine,

    #[command(flatten)]
    extent: Extent,

    /// Measure the shim as well, with a containerd for FreeBSD: the directory of `containerd` and
    /// `ctr`
    #[arg(long, value_name = "DIR")]
    containerd: Option<PathBuf>,

    /// Another runtime, by a name that says how it is called, such as runj:before or ocijail
    #[arg(long = "runtime", value_name = "NAME=PROGRAM")]
    runtimes: Vec<String>,

    /// The directory to write to
    #[arg(long, value_name = "DIR", default_value = "docs/bench")]
    out: PathBuf,
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        let mut programs = Vec::new();
        let for_shim: &[_] =
            if self.containerd.is_some() { &["runj-demo", "runj-shim"] } else { &[] };
        // Each on its own, or else it gets what the others' libraries can do as well.
        for package in ["runj-cli", "xtask"].iter().chain(for_shim) {
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--release", "--package", package, "--bins"]);
            if !self.machine.is_this() {
                self.machine.cross(&mut cargo, Purpose::Use)?;
            }
            programs.extend(build(&mut cargo)?);
        }

        let payload = Path::new(PAYLOAD);
        if payload.exists() {
            fs::remove_dir_all(payload)?;
        }
        fs::create_dir_all(payload)?;
        for name in ["runj", "bench-floor", "bench-measure"] {
            fs::copy(find(&programs, name)?, payload.join(name))?;
        }
        let mut measure = Command::new("./bench-measure");
        measure.args(["--floor", "bench-floor", "--runtime", "runj=runj"]);
        for (index, runtime) in self.runtimes.iter().enumerate() {
            let (name, program) = runtime.split_once('=').context("--runtime: NAME=PROGRAM")?;
            let copy = format!("runtime{index}");
            fs::copy(program, payload.join(&copy)).with_context(|| program.to_owned())?;
            measure.args(["--runtime", &format!("{name}={copy}")]);
        }
        if let Some(directory) = &self.containerd {
            pack_containerd(directory, payload)?;
            for name in ["runj-demo", "containerd-shim-runj-v1"] {
                fs::copy(find(&programs, name)?, payload.join(name))?;
            }
            measure.arg("--shim");
        }
        measure.args(self.extent.arguments()).args(["--command", &this_command()]);
        measure.args(["--out", "report.json"]);
        let script = SCRIPT.replace("MEASURE", &command_line(&measure)).replace("MARK", MARK);
        fs::write(payload.join("run.sh"), script)?;

        let mut report = None;
        self.machine.run(payload, |line| match &mut report {
            None if line == MARK => report = Some(String::new()),
            None => {}
            Some(report) => *report += &format!("{line}\n"),
        })?;
        let report = report.context("the run told no report")?;
        fs::create_dir_all(&self.out)?;
        let file = self.out.join("freebsd.json");
        fs::write(&file, report).with_context(|| format!("{}", file.display()))?;
        conclude(&file)
    }
}

/// Finds runtimes that are installed there, and measures.
const SCRIPT: &str = r#"#!/bin/sh
# Measures runj in this directory, as root on FreeBSD.
set -e
cd "$(dirname "$0")"
chmod +x bench-measure bench-floor runj
if [ -d containerd ]; then
	RUNJ=$PWD/runj RUNJ_DEMO=$PWD/runj-demo RUNJ_SHIM=$PWD/containerd-shim-runj-v1
	RUNJ_CONTAINERD=$PWD/containerd
	export RUNJ RUNJ_DEMO RUNJ_SHIM RUNJ_CONTAINERD
fi
others=
for pair in ocijail=ocijail runj-go=runj; do
	if program=$(command -v "${pair#*=}"); then
		others="$others --runtime ${pair%%=*}=$program"
	fi
done
MEASURE $others
echo 'MARK'
cat report.json
"#;
