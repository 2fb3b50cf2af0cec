//! `cargo xtask soak`: many lifecycles of containers, one after the other.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::run::run;

/// Shows that nothing grows in a thousand lifecycles: descriptors, memory, mounts, state
///
/// These are the tests `soak` with more rounds, with each of these in processes of its own and in
/// one process. It takes root.
#[derive(Args)]
pub(crate) struct Soak {
    /// How many lifecycles
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    rounds: u32,
}

impl Soak {
    pub(crate) fn run(&self) -> Result<()> {
        let mut tests = Command::new("cargo");
        tests.args(["test", "--release", "-p", "runj-tests", "--test", "containers", "--"]);
        tests.arg("soak::").env("RUNJ_SOAK", self.rounds.to_string());
        run(&mut tests)
    }
}
