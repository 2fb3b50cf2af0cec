//! `runj resume`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::Runtime;

use crate::flags::Resume;

pub(crate) fn run(runtime: &Runtime, resume: &Resume) -> Result<ExitCode, Error> {
    runtime.resume(&resume.id)?;
    Ok(ExitCode::SUCCESS)
}
