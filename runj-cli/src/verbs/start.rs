//! `runj start`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::Runtime;

use crate::flags::Start;
use crate::foreground::notice_children;

pub(crate) fn run(runtime: &Runtime, start: &Start) -> Result<ExitCode, Error> {
    notice_children()?;
    runtime.start(&start.id)?;
    Ok(ExitCode::SUCCESS)
}
