//! `runj kill`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::Runtime;

use crate::flags::Kill;

pub(crate) fn run(runtime: &Runtime, kill: &Kill) -> Result<ExitCode, Error> {
    runtime.kill(&kill.id, kill.signal, kill.all)?;
    Ok(ExitCode::SUCCESS)
}
