//! Containers from a user's side: the real `runj`, the host as it is before and after, and a
//! program inside that says what it sees.
//!
//! This takes root; the harness reports the cases as ignored to anybody else. `RUNJ` and
//! `RUNJ_PROBE` name the programs where there is no cargo to build them with.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod bad_input;
mod case;
mod concurrency;
mod crashes;
mod exec;
mod failed_create;
mod hooks;
mod isolation;
mod lifecycle;
mod logs;
mod model;
mod mounts;
mod network;
// The one way to make interfaces for a test.
#[path = "../../../runj-net/tests/interfaces/pair.rs"]
mod pair;
#[cfg_attr(target_os = "freebsd", path = "../../../runj-net/tests/interfaces/pair_freebsd.rs")]
#[cfg_attr(target_os = "linux", path = "../../../runj-net/tests/interfaces/pair_linux.rs")]
mod pair_sys;
mod parameters;
mod process;
mod spec;
mod terminals;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use runj_tests::Programs;

use crate::case::Theme;

fn main() -> ExitCode {
    let themes = [
        Theme { name: "bad_input", cases: bad_input::CASES },
        Theme { name: "concurrency", cases: concurrency::CASES },
        Theme { name: "crashes", cases: crashes::CASES },
        Theme { name: "exec", cases: exec::CASES },
        Theme { name: "failed_create", cases: failed_create::CASES },
        Theme { name: "hooks", cases: hooks::CASES },
        Theme { name: "logs", cases: logs::CASES },
        Theme { name: "model", cases: model::CASES },
        Theme { name: "mounts", cases: mounts::CASES },
        Theme { name: "parameters", cases: parameters::CASES },
        Theme { name: "process", cases: process::CASES },
        Theme { name: "spec", cases: spec::CASES },
        Theme { name: "terminals", cases: terminals::CASES },
        Theme { name: "isolation", cases: isolation::CASES },
        Theme { name: "network", cases: network::CASES },
        Theme { name: "lifecycle", cases: lifecycle::CASES },
    ];
    let mut arguments = Arguments::from_args();
    // Most of the time each of them waits for some process.
    arguments.test_threads.get_or_insert(4);
    let trials = case::trials(&themes, || Programs::locate(env!("CARGO_BIN_EXE_runj-probe")));
    libtest_mimic::run(&arguments, trials).exit_code()
}
