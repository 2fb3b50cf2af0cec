//! `runj start`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::Runtime;

use crate::flags::Start;

pub(crate) fn run(runtime: &Runtime, start: &Start) -> Result<ExitCode, Error> {
    runtime.start(&start.id)?;
    Ok(ExitCode::SUCCESS)
}
