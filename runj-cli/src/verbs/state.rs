//! `runj state`

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use runj_runtime::Runtime;

use crate::flags::State;

pub(crate) fn run(runtime: &Runtime, state: &State) -> Result<ExitCode, Error> {
    let text = serde_json::to_string_pretty(&runtime.state(&state.id)?)?;
    writeln!(std::io::stdout(), "{text}").context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
