//! `runj create`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::{CreateOptions, Runtime};

use crate::flags::{Bundle, Create};
use crate::foreground::notice_children;

pub(crate) fn run(runtime: &Runtime, create: &Create) -> Result<ExitCode, Error> {
    notice_children()?;
    runtime.create(&create.bundle.id, &options(&create.bundle, false))?;
    Ok(ExitCode::SUCCESS)
}

/// What the flags that create and run share mean.
pub(crate) fn options(bundle: &Bundle, stays: bool) -> CreateOptions {
    CreateOptions::new(bundle.directory())
        .io(bundle.io.given(stays))
        .jail_name(bundle.jail_name.clone())
}
