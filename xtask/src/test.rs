//! `cargo xtask test`: everything that a change has to pass before it lands.

use std::process::Command;

use anyhow::Result;
use clap::Args;
use nix::unistd::geteuid;

use crate::run::run;
use crate::{containerd, engines, freebsd};

const CLIPPY: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];

/// Passes every check and test that can run on this host
///
/// Format, build, lints for this host and for FreeBSD, documentation, tests. Stops at the first
/// step that fails, with its exit status.
#[derive(Args)]
pub(crate) struct Test {
    /// The only containerd to test with, instead of all: the directory of `containerd` and `ctr`,
    /// or the beginning of its version, such as 1.7
    #[arg(long, value_name = "DIR|VERSION")]
    containerd: Option<String>,

    /// Arguments of the test binaries, as after `cargo test --`
    #[arg(last = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        run(Command::new("cargo").args(["fmt", "--all", "--check"]))?;
        run(Command::new("cargo").args(["build", "--workspace"]))?;
        run(Command::new("cargo").args(CLIPPY))?;
        freebsd::Check::default().run()?;
        run(Command::new("cargo")
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"))?;

        if geteuid().is_root() {
            containerd::set_up()?;
            engines::set_up()?;
        } else {
            eprintln!("note: you are not root: tests that need root will be reported as skipped");
        }
        let mut tests = Command::new("cargo");
        tests.args(["test", "--workspace"]);
        if let Some(containerd) = &self.containerd {
            tests.env("RUNJ_CONTAINERD", containerd);
        }
        if !self.args.is_empty() {
            tests.arg("--").args(&self.args);
        }
        // Last, so that the test runner's own closing lines are what remains on the screen.
        run(&mut tests)
    }
}
