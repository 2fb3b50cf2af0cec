//! `cargo xtask test`: everything that a change has to pass before it lands.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;
use nix::unistd::geteuid;

use crate::check::Check;
use crate::run::run;
use crate::{containerd, engines, jail_root};

/// Passes every check and test that can run on this host
///
/// All of `cargo xtask check`, then build, documentation, tests. Stops at the first step that fails,
/// with its exit status.
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
        Check::default().run()?;
        run(Command::new("cargo").args(["build", "--workspace"]))?;
        run(Command::new("cargo")
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"))?;

        set_up_programs()?;
        let root = Path::new("target/static/root");
        jail_root::make(root, &jail_root::build_probe(None)?)?;
        let mut tests = Command::new("cargo");
        tests.args(["test", "--workspace"]).env(jail_root::VARIABLE, root.canonicalize()?);
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

/// Sets up the programs of others that the tests call.
///
/// # Errors
/// This is not a Debian machine, or Debian does not serve one of them.
pub(crate) fn set_up_programs() -> Result<()> {
    if !geteuid().is_root() {
        eprintln!("note: you are not root: tests that need root will be reported as skipped");
        return Ok(());
    }
    containerd::set_up()?;
    engines::set_up()
}
