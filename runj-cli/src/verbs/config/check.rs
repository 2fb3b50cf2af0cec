//! `runj config check`

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Error, bail};
use runj_runtime::{CreateOptions, Io};

use crate::flags::ConfigCheck;

/// The problems are what is asked for, so they are on standard output.
pub(crate) fn run(check: &ConfigCheck) -> Result<ExitCode, Error> {
    // Which id a container would get and who would serve its terminal is not for the bundle to say.
    let id = "bundle".parse()?;
    let options = CreateOptions::new(&check.bundle).io(Io::default().relays_terminal(true));
    let problems = match runj_runtime::check(&id, &options) {
        Ok(()) => return Ok(ExitCode::SUCCESS),
        Err(error) => error.each(),
    };
    let mut out = io::stdout().lock();
    for problem in &problems {
        writeln!(out, "{problem}").context("standard output")?;
    }
    match problems.len() {
        1 => bail!("{:?} has a problem", check.bundle),
        count => bail!("{:?} has {count} problems", check.bundle),
    }
}
