//! Measures runj beside its floor and other runtimes, and writes a report. `cargo xtask bench`
//! builds what it needs and calls it.
//!
//! Whatever is compared is measured in turns: a sample of each, then the next of each, so that
//! what the machine does besides meets all of them.

// Telling how far it is.
#![allow(clippy::print_stderr)]

mod alone;
mod bundle;
mod contender;
mod host;
mod peak;
mod population;
mod samples;
mod shim;
mod together;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use bench_report::Report;
use clap::Parser;
use jiff::Timestamp;
use nix::unistd::geteuid;

use self::bundle::Bundles;
use self::contender::{Contender, Named};
use self::samples::Samples;

#[derive(Parser)]
struct Args {
    /// The program of the floor
    #[arg(long, value_name = "PROGRAM")]
    floor: PathBuf,

    /// A runtime to measure, by the name that says how it is called: runj, runc, crun, youki,
    /// ocijail, runj-go; with a suffix after a colon if there are more of a kind
    #[arg(long = "runtime", value_name = "NAME=PROGRAM", required = true)]
    runtimes: Vec<Named>,

    /// Measure the shim as well, with containerd
    #[arg(long)]
    shim: bool,

    /// How often the lifecycle and the verbs are measured
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    samples: u32,

    /// Numbers of running containers among which list, state and a lifecycle are measured
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    among: Vec<u32>,

    /// Numbers of lifecycles to begin at once
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    together: Vec<u32>,

    /// The most containers of runtimes other than runj and the floor, which need more memory
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    most_of_others: u32,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// What to tell as the command that makes the report
    #[arg(long, value_name = "LINE", default_value = "cargo xtask bench")]
    command: String,
}

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-measure: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<()> {
    ensure!(geteuid().is_root(), "the benchmark makes containers: run it as root");
    let begun = Timestamp::now().to_string();
    let machine = host::machine()?;
    host::retreat()?;
    host::adopt()?;
    let floor = &args.floor.canonicalize().with_context(|| format!("{}", args.floor.display()))?;
    let place = tempfile::Builder::new().prefix("runj-bench-").tempdir()?;
    let bundles = Bundles::new(&place.path().join("bundles"), floor)?;
    let state = host::state_parent()?;
    let mut contenders = vec![Contender::floor(floor, state.path())?];
    for named in &args.runtimes {
        contenders.push(Contender::runtime(named, state.path())?);
    }
    let samples = &mut Samples::default();
    let mut notes = Vec::new();
    let contenders = alone::warm_up(contenders, &bundles, &mut notes)?;

    eprintln!("one after the other, {} times", args.samples);
    alone::measure(&contenders, &bundles, args.samples, samples)?;
    eprintln!("memory");
    peak::measure(&contenders, &bundles, floor, samples)?;
    if !args.together.is_empty() {
        eprintln!("at once");
        together::measure(&contenders, &bundles, args, samples, &mut notes)?;
    }
    if !args.among.is_empty() {
        eprintln!("among others");
        population::measure(&contenders, &bundles, args, samples, &mut notes)?;
    }
    if args.shim {
        eprintln!("with containerd");
        shim::measure(args.samples, samples, &mut notes)?;
    }

    let mut report = Report {
        begun,
        command: args.command.clone(),
        machine,
        contenders: contenders.iter().map(Contender::description).collect::<Result<_>>()?,
        series: samples.series(),
        notes,
    };
    report.compare();
    report.write(&args.out).with_context(|| format!("{}", args.out.display()))
}
