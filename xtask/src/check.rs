//! `cargo xtask check`: what a change has to pass before it is committed.

use std::process::{Command, Stdio};

use anyhow::Result;
use clap::Args;

use crate::run::run;
use crate::{deny, freebsd, generated};

const CLIPPY: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];

/// Passes the checks before a commit: nothing runs, no root is needed
///
/// Format, generated files, dependencies (with cargo-deny, if it is installed), lints for this host
/// and for FreeBSD. Stops at the first that fails, with its exit status. `cargo xtask test` begins
/// with the same.
#[derive(Args, Default)]
pub(crate) struct Check {}

impl Check {
    pub(crate) fn run(&self) -> Result<()> {
        run(Command::new("cargo").args(["fmt", "--all", "--check"]))?;
        generated::check()?;
        // A workspace of its own, whose lock file nothing else looks at.
        let mut fuzz = Command::new("cargo");
        fuzz.args([
            "metadata",
            "--locked",
            "--format-version=1",
            "--manifest-path",
            "fuzz/Cargo.toml",
        ]);
        run(fuzz.stdout(Stdio::null()))?;
        deny::check_if_installed()?;
        run(Command::new("cargo").args(CLIPPY))?;
        freebsd::Check::default().run()
    }
}
