//! `runj completions`

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use runj_flags::Command as _;

use crate::flags::{Completions, Flags};

pub(crate) fn run(completions: &Completions) -> Result<ExitCode, Error> {
    let script = runj_flags::completions(Flags::COMMAND, completions.shell);
    io::stdout().write_all(script.as_bytes()).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
