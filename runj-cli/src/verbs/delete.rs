//! `runj delete`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::Runtime;

use crate::flags::Delete;
use crate::foreground::notice_children;

pub(crate) fn run(runtime: &Runtime, delete: &Delete) -> Result<ExitCode, Error> {
    notice_children()?;
    match runtime.delete(&delete.id, delete.force) {
        // With --force it only matters that the container is not there.
        Err(runj_runtime::Error::NoSuchContainer(_)) if delete.force => {}
        result => result?,
    }
    Ok(ExitCode::SUCCESS)
}
