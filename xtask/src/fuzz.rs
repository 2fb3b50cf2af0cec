//! `cargo xtask fuzz`: what others can send, at random and for long.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::run::{cargo_has, run};

/// The crate of the targets. What comes of a run is not put there, but in [`OUTPUT`].
const CRATE: &str = "fuzz";
const OUTPUT: &str = "target/fuzz";

/// Fuzzes what reads the input of others, one target after the other
///
/// It takes cargo-fuzz and a C++ compiler. The inputs that were of interest stay in
/// target/fuzz/corpus and are the next run's to begin with. What fails is an input in
/// target/fuzz/artifacts, and ends the run; once it is mended it belongs in fuzz/regressions, from
/// which the tests take it.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// The target: without it, each of fuzz/fuzz_targets
    target: Option<String>,

    /// How long to fuzz each target
    #[arg(long, value_name = "N", default_value_t = 3600)]
    seconds: u64,
}

impl Fuzz {
    pub(crate) fn run(&self) -> Result<()> {
        ensure!(
            cargo_has("fuzz"),
            "there is no cargo-fuzz: `cargo install --locked cargo-fuzz` installs it"
        );
        let targets = targets()?;
        if let Some(target) = &self.target {
            ensure!(targets.contains(target), "{target} is not one of {}", targets.join(", "));
            return fuzz(target, self.seconds);
        }
        targets.iter().try_for_each(|target| fuzz(target, self.seconds))
    }
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let directory = Path::new(CRATE).join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("{}", directory.display()))? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        targets.push(stem.context("the name of a target is not UTF-8")?.to_owned());
    }
    targets.sort();
    Ok(targets)
}

fn fuzz(target: &str, seconds: u64) -> Result<()> {
    let found = format!("{OUTPUT}/corpus/{target}");
    let failing = format!("{OUTPUT}/artifacts/{target}/");
    for directory in [&found, &failing] {
        fs::create_dir_all(directory).with_context(|| directory.clone())?;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["fuzz", "run", "--fuzz-dir", CRATE, "--target-dir", OUTPUT]);
    // What is fuzzed is safe Rust, in which a sanitizer finds nothing, and would take a nightly
    // toolchain.
    cargo.args(["--sanitizer", "none", target, &found]);
    for inputs in ["corpus", "regressions"] {
        let inputs = format!("{CRATE}/{inputs}/{target}");
        if Path::new(&inputs).exists() {
            cargo.arg(inputs);
        }
    }
    cargo.arg("--").arg(format!("-max_total_time={seconds}"));
    cargo.args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    cargo.arg(format!("-artifact_prefix={failing}"));
    let dictionary = format!("{CRATE}/dictionaries/{target}.dict");
    if Path::new(&dictionary).exists() {
        cargo.arg(format!("-dict={dictionary}"));
    }
    run(&mut cargo)
}
