//! `runj demo`

mod program;
mod spec;

use std::process::ExitCode;

use anyhow::Error;

use crate::flags::{Demo, DemoVerb};

pub(crate) fn run(demo: &Demo) -> Result<ExitCode, Error> {
    match &demo.verb {
        DemoVerb::Download(download) => program::run(download.line()),
        DemoVerb::OciImage(image) => program::run(image.line()),
        DemoVerb::Spec(spec) => spec::run(spec),
    }
}
