//! The harness of suites that are nothing without root.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::unistd::geteuid;

/// Runs those of the trials that the command line asks for, four at once unless it says otherwise.
/// To anybody but root they are reported as ignored.
#[must_use]
#[allow(clippy::print_stderr)]
pub fn run_as_root(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time each of them waits for some process.
    arguments.test_threads.get_or_insert(4);
    let possible = geteuid().is_root();
    if !possible {
        eprintln!("note: these need root");
    }
    let trials = trials.into_iter().map(|trial| trial.with_ignored_flag(!possible));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
