//! `runj` at its fault points: killed, refused, or kept waiting while somebody deletes the
//! container, at every step of every verb that touches the host. Afterwards the host is as before.
//!
//! Nothing here names a step. Each scenario is run once with a trace of the points that it comes to
//! ([`trace`]), and then again for each of them. That every point there is comes up in one of them is
//! a case of its own ([`complete`]).
//!
//! This takes root; the harness reports the cases as ignored to anybody else. `RUNJ_FAULTS` and
//! `RUNJ_PROBE` name the programs where there is no cargo to build them with.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod complete;
mod hooks;
mod ordeal;
// The one way to make interfaces for a test.
#[allow(dead_code)]
#[path = "../../../runj-net/tests/interfaces/pair.rs"]
mod pair;
#[cfg_attr(target_os = "freebsd", path = "../../../runj-net/tests/interfaces/pair_freebsd.rs")]
#[cfg_attr(target_os = "linux", path = "../../../runj-net/tests/interfaces/pair_linux.rs")]
mod pair_sys;
mod scenario;
mod site;
mod trace;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::Trial;
use runj_tests::{Programs, Sandbox, run_as_root};

use crate::ordeal::Ordeal;
use crate::scenario::Scenario;

fn main() -> ExitCode {
    let programs = Arc::new(OnceLock::new());
    let trial = |name: String, run: Box<dyn FnOnce(&Sandbox<'_>) + Send>| {
        let programs = Arc::clone(&programs);
        let locate = || Programs::locate_with_faults(env!("CARGO_BIN_EXE_runj-probe"));
        Trial::test(name, move || {
            let sandbox = Sandbox::new(programs.get_or_init(locate));
            run(&sandbox);
            sandbox.finish();
            Ok(())
        })
    };
    let ordeals = Scenario::ALL.iter().flat_map(|scenario| {
        Ordeal::ALL.iter().map(move |ordeal| {
            let name = format!("{}::{}", scenario.name, ordeal.name());
            trial(name, Box::new(move |sandbox| ordeal::run(sandbox, scenario, *ordeal)))
        })
    });
    let others = complete::CASES.iter().chain(hooks::CASES);
    let others = others.map(|(name, case)| trial((*name).to_owned(), Box::new(case)));
    run_as_root(ordeals.chain(others))
}
