//! The command line of `runj completions` and `runj man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory to write them to, such as /usr/local/share/man/man8
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
