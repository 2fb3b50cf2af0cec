//! `runj run`

use std::process::ExitCode;

use anyhow::Error;
use runj_runtime::{Error as RuntimeError, Runtime, Started};
use runj_spec::ContainerId;

use crate::flags::Run;
use crate::foreground::{Foreground, notice_children};
use crate::verbs::create;

pub(crate) fn run(runtime: &Runtime, run: &Run) -> Result<ExitCode, Error> {
    notice_children()?;
    let id = &run.bundle.id;
    let foreground = if run.detach { None } else { Some(Foreground::prepare()?) };
    let options = create::options(&run.bundle, foreground.is_some());
    let started = runtime.create(id, &options)?;
    let outcome = follow(runtime, id, started, foreground);
    // A container that was not left running is deleted, whatever came of it.
    if !run.detach || outcome.is_err() {
        let deleted = runtime.delete(id, true);
        if outcome.is_ok() {
            deleted?;
        } else {
            match deleted {
                // A hook that fails takes the container with it.
                Ok(()) | Err(RuntimeError::NoSuchContainer(_)) => {}
                Err(error) => tracing::warn!("{:#}", Error::from(error)),
            }
        }
    }
    outcome
}

fn follow(
    runtime: &Runtime,
    id: &ContainerId,
    started: Started,
    foreground: Option<Foreground>,
) -> Result<ExitCode, Error> {
    runtime.start(id)?;
    match foreground {
        Some(foreground) => foreground.wait(started),
        None => Ok(ExitCode::SUCCESS),
    }
}
