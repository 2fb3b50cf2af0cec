//! `runj create`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::{CreateOptions, Runtime};

use crate::flags::{Bundle, Create};

pub(crate) fn run(runtime: &Runtime, create: &Create) -> Result<ExitCode, Error> {
    runtime.create(&create.bundle.id, &options(&create.bundle))?;
    Ok(ExitCode::SUCCESS)
}

/// What the flags that create and run share mean.
pub(crate) fn options(bundle: &Bundle) -> CreateOptions {
    CreateOptions::new(bundle.directory())
        .console_socket(bundle.io.console_socket.clone())
        .pid_file(bundle.io.pid_file.clone())
        .preserve_fds(bundle.io.preserve_fds)
        .jail_name(bundle.jail_name.clone())
}
