//! The command line of `runj demo`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Things to try runj with
#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    #[command(flatten)]
    Program(runj_demo::Verb),
    Spec(DemoSpec),
}

/// Write a bundle's documents to start from, with comments and for editors
///
/// The container is a shell on the host's own network. Its root file system goes to the directory
/// rootfs beside the documents. What is there already is left alone.
#[derive(Debug, Args)]
pub(crate) struct DemoSpec {
    /// The directory to write them to
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
}
