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

use std::process::ExitCode;

use libtest_mimic::Trial;
use runj_tests::run_as_root;

fn main() -> ExitCode {
    let trials = cases::CASES.iter().map(|(name, case)| {
        let run = move || {
            case();
            Ok(())
        };
        Trial::test(*name, run)
    });
    run_as_root(trials)
}
