//! `runj config check`

mod unknown;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Error, bail};
use runj_runtime::{CreateOptions, Io};
use runj_spec::Extension;

use crate::flags::ConfigCheck;

/// The problems are what is asked for, so they are on standard output. What is only not known is no
/// problem, but whoever asks wants to hear of it.
pub(crate) fn run(check: &ConfigCheck) -> Result<ExitCode, Error> {
    // Which id a container would get and who would serve its terminal is not for the bundle to say.
    let id = "bundle".parse()?;
    let options = CreateOptions::new(&check.bundle).io(Io::default().relays_terminal(true));
    let mut out = io::stdout().lock();
    for line in unknown_properties(&check.bundle) {
        writeln!(out, "{line}").context("standard output")?;
    }
    let problems = match runj_runtime::check(&id, &options) {
        Ok(()) => return Ok(ExitCode::SUCCESS),
        Err(error) => error.each(),
    };
    for problem in &problems {
        writeln!(out, "{problem}").context("standard output")?;
    }
    match problems.len() {
        1 => bail!("{:?} has a problem", check.bundle),
        count => bail!("{:?} has {count} problems", check.bundle),
    }
}

/// Of a file that cannot be read or understood, the problems tell.
fn unknown_properties(bundle: &Path) -> Vec<String> {
    let text = fs::read(bundle.join(Extension::FILE_NAME)).unwrap_or_default();
    serde_json::from_slice(&text).map_or_else(|_| Vec::new(), |value| unknown::properties(&value))
}
