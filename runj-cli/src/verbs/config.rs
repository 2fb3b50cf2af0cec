//! `runj config`

mod check;
mod show;

use std::process::ExitCode;

use anyhow::Error;

use crate::flags::{Config, ConfigVerb};

pub(crate) fn run(config: &Config) -> Result<ExitCode, Error> {
    match &config.verb {
        ConfigVerb::Check(check) => check::run(check),
        ConfigVerb::Show(show) => show::run(show),
    }
}
