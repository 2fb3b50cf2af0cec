//! `runj config check`

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Error, bail};
use runj_runtime::{CreateOptions, Io};
use runj_spec::{Config, Extension, Ignored};
use serde_json::Value;

use crate::flags::{ConfigCheck, Flags};
use crate::printable;

/// The problems are what is asked for, so they are on standard output. What is only not known is no
/// problem, but whoever asks wants to hear of it.
pub(crate) fn run(flags: &Flags, check: &ConfigCheck) -> Result<ExitCode, Error> {
    // Which id a container would get and who would serve its terminal is not for the bundle to say.
    let id = "bundle".parse()?;
    let options = CreateOptions::new(&check.bundle).io(Io::default().relays_terminal(true));
    let problems = match runj_runtime::check(&id, &options) {
        Ok(()) => Vec::new(),
        Err(error) => error.each(&|input| flags.of_input(input)),
    };
    let mut out = io::stdout().lock();
    // A bundle without problems is one whose files can be read as they are.
    if problems.is_empty() {
        for line in unknown_properties(&check.bundle) {
            writeln!(out, "{}", printable(&line)).context("standard output")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for problem in &problems {
        writeln!(out, "{problem}").context("standard output")?;
    }
    match problems.len() {
        1 => bail!("{:?} has a problem", check.bundle),
        count => bail!("{:?} has {count} problems", check.bundle),
    }
}

/// A line for each property that is not known. It is ignored, so that a misspelt one would have no
/// effect and no message.
fn unknown_properties(bundle: &Path) -> Vec<String> {
    let ignored_in = |name: &str, ignored: fn(Value) -> Vec<Ignored>| {
        let text = fs::read(bundle.join(name)).unwrap_or_default();
        serde_json::from_slice(&text).map_or_else(|_| Vec::new(), ignored)
    };
    let mut ignored = ignored_in(Config::FILE_NAME, Config::ignored);
    ignored.extend(ignored_in(Extension::FILE_NAME, Extension::ignored));
    let line = |Ignored { origin, known }| {
        let known = known?.join(", ");
        Some(format!("{origin}: not known, and ignored: known are {known}"))
    };
    ignored.into_iter().filter_map(line).collect()
}
