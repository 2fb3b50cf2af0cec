//! `cargo xtask deny`: what the dependencies may be, as deny.toml has it.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::run::{cargo_has, run};

/// Neither its compilation nor its database is worth the time of every run of the tests, so it is
/// whoever works on dependencies that has it.
const INSTALL: &str = "`cargo install --locked cargo-deny` installs it";

/// Checks the dependencies against deny.toml: licences, sources, versions
///
/// It takes cargo-deny. The tests of xtask check licences and sources without it.
#[derive(Args)]
pub(crate) struct Deny {
    /// Look for published vulnerabilities as well, in RustSec's database, which is fetched from
    /// GitHub
    #[arg(long)]
    advisories: bool,
}

impl Deny {
    pub(crate) fn run(&self) -> Result<()> {
        ensure!(cargo_has("deny"), "there is no cargo-deny: {INSTALL}");
        check(if self.advisories { &["advisories"] } else { &[] })
    }
}

/// The same, where there is a cargo-deny; elsewhere says that there is none.
///
/// # Errors
/// A dependency is not as deny.toml has it.
pub(crate) fn check_if_installed() -> Result<()> {
    if cargo_has("deny") {
        return check(&[]);
    }
    eprintln!("note: dependencies are not checked, for there is no cargo-deny: {INSTALL}");
    Ok(())
}

fn check(more: &[&str]) -> Result<()> {
    let mut deny = Command::new("cargo");
    run(deny.args(["deny", "--locked", "check", "licenses", "bans", "sources"]).args(more))
}
