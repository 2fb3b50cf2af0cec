//! `runj config`

mod check;
mod show;

use std::process::ExitCode;

use anyhow::Error;

use crate::flags::{Config, ConfigVerb, Flags};

pub(crate) fn run(flags: &Flags, config: &Config) -> Result<ExitCode, Error> {
    match &config.verb {
        ConfigVerb::Check(check) => check::run(flags, check),
        ConfigVerb::Show(show) => show::run(show),
    }
}
