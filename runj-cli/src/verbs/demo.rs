//! `runj demo`

mod program;
mod spec;

use std::process::ExitCode;

use anyhow::Error;

use crate::flags::Demo;

pub(crate) fn run(demo: &Demo) -> Result<ExitCode, Error> {
    match demo {
        Demo::Program(verb) => program::run(verb),
        Demo::Spec(spec) => spec::run(spec),
    }
}
