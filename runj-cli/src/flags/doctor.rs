//! The command line of `runj doctor`.

use clap::Args;

/// Tell what this host can do for containers, what it lacks, and the commands that mend it
///
/// The exit status is 0 unless no container can run here at all.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
