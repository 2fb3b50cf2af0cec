//! The shim at its fault points, as those of `runj` in `tests/tests/faults`: killed, refused, or
//! kept waiting while containerd takes it for dead. The same for `runj` below it. Afterwards the
//! shim's `delete` leaves nothing.
//!
//! This takes root; the harness reports the cases as ignored to anybody else. `RUNJ_FAULTS` names the
//! `runj` to be used, beside which the shim's program is looked for; without it both are built.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod cases;
// What stands for containerd; not everything is needed here.
#[allow(dead_code)]
#[path = "../task/engine.rs"]
mod engine;
mod life;
mod programs;
#[path = "../task/rpc.rs"]
mod rpc;
mod trace;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::unistd::geteuid;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time each of them waits for some process.
    arguments.test_threads.get_or_insert(4);
    let possible = geteuid().is_root();
    if !possible {
        eprintln!("note: these need root");
    }
    let trials = cases::CASES.iter().map(|(name, case)| {
        let run = move || {
            case();
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(!possible)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
