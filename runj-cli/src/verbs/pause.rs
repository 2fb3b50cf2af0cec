//! `runj pause`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::Runtime;

use crate::flags::Pause;

pub(crate) fn run(runtime: &Runtime, pause: &Pause) -> Result<ExitCode, Error> {
    runtime.pause(&pause.id)?;
    Ok(ExitCode::SUCCESS)
}
