//! `runj features`

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Error};

pub(crate) fn run() -> Result<ExitCode, Error> {
    let text = serde_json::to_string_pretty(&runj_runtime::features())?;
    writeln!(std::io::stdout(), "{text}").context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
