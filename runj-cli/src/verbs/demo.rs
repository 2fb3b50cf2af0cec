//! `runj demo`

mod spec;

use std::process::ExitCode;

use anyhow::Error;

use crate::flags::Demo;

pub(crate) fn run(demo: &Demo) -> Result<ExitCode, Error> {
    match demo {
        Demo::Spec(spec) => spec::run(spec),
    }
}
