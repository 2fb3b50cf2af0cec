//! The shim's task service without a containerd, on every host that runj runs on: these tests say
//! to it what a containerd says, and hear its events.
//!
//! They take root; without it the harness reports them as ignored. `RUNJ` names the `runj` to be
//! used, beside which the shim's program is looked for; without it both are built.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod cases;
mod engine;
mod limits;
mod programs;
mod rpc;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::unistd::geteuid;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let possible = geteuid().is_root();
    if !possible {
        eprintln!("note: these need root");
    }
    let trials = cases::CASES.iter().chain(limits::CASES).map(|(name, case)| {
        let run = move || {
            engine::with(*case);
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(!possible)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
