//! The command line of `runj config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ListFormat;

/// Look at a bundle's configuration, without making anything of it
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    Check(ConfigCheck),
    Show(ConfigShow),
}

/// Say all that is wrong with a bundle, one line each
#[derive(Debug, Args)]
pub(crate) struct ConfigCheck {
    /// The bundle: the directory with config.json and, if there is one, runj.ext.json
    #[arg(value_name = "BUNDLE", default_value = ".")]
    pub(crate) bundle: PathBuf,
}

/// Print what a bundle's documents say together, where, and the jail that it means
#[derive(Debug, Args)]
pub(crate) struct ConfigShow {
    /// The bundle: the directory with config.json and, if there is one, runj.ext.json
    #[arg(value_name = "BUNDLE", default_value = ".")]
    pub(crate) bundle: PathBuf,

    /// The form of the output
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ListFormat,
}
