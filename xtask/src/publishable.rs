//! `cargo xtask publishable`: whether the crates can go to crates.io as they are.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::run::{cargo_has, run};

/// Packages every crate that is published and builds it from its package, without publishing it
///
/// All has to be committed. What the crates depend on comes from crates.io.
#[derive(Args)]
pub(crate) struct Publishable {
    /// Compare the libraries' interfaces with those of this commit as well: with changes that Cargo's
    /// rules do not allow for the versions they have, it fails. It takes cargo-semver-checks
    #[arg(long, value_name = "COMMIT")]
    baseline_rev: Option<String>,
}

impl Publishable {
    pub(crate) fn run(&self) -> Result<()> {
        // Before minutes of compilation.
        ensure!(
            self.baseline_rev.is_none() || cargo_has("semver-checks"),
            "there is no cargo-semver-checks: `cargo install --locked cargo-semver-checks` installs it"
        );
        run(Command::new("cargo").args(["publish", "--workspace", "--dry-run", "--locked"]))?;
        let Some(commit) = &self.baseline_rev else { return Ok(()) };
        let mut compare = Command::new("cargo");
        run(compare.args(["semver-checks", "--workspace", "--baseline-rev", commit]))
    }
}
