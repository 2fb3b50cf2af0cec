//! The shim's task service without a containerd, on every host that runj runs on: these tests say
//! to it what a containerd says, and hear its events.
//!
//! They take root, and those of datasets ZFS; without it the harness reports them as ignored. `RUNJ` names the `runj` to be
//! used, beside which the shim's program is looked for; without it both are built.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod cases;
mod datasets;
mod engine;
mod limits;
mod pool;
mod programs;
mod rough;
mod rpc;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};
use nix::unistd::geteuid;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let why_not = if geteuid().is_root() { None } else { Some("needs root") };
    let no_zfs = why_not.or_else(pool::missing);
    let trial = |(name, case): &(&'static str, engine::Case), why_not: Option<&'static str>| {
        let case = *case;
        Trial::ignorable_test(*name, move || {
            if let Some(reason) = why_not {
                return Ok(Completion::ignored_with(reason));
            }
            engine::with(case);
            Ok(Completion::Completed)
        })
    };
    let trials = cases::CASES
        .iter()
        .chain(limits::CASES)
        .chain(rough::CASES)
        .map(|case| trial(case, why_not));
    let datasets = datasets::CASES.iter().map(|case| trial(case, no_zfs));
    libtest_mimic::run(&arguments, trials.chain(datasets).collect()).exit_code()
}
