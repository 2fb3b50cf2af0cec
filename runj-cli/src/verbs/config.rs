//! `runj config`

mod check;
mod show;

use std::process::ExitCode;

use anyhow::Error;

use crate::flags::Config;

pub(crate) fn run(config: &Config) -> Result<ExitCode, Error> {
    match config {
        Config::Check(check) => check::run(check),
        Config::Show(show) => show::run(show),
    }
}
