//! Containers from the side of podman's and buildah's users: the real programs and conmon, with the
//! real `runj` as their runtime.
//!
//! This takes root on the Linux development host and Debian's packages, which `cargo xtask test`
//! fetches; without them the harness reports the cases as ignored, but where `CI` is set they fail.
//! `RUNJ` names the program to be used.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod build;
mod case;
mod demo_image;
mod exec;
mod network;
mod run;
mod stop;
mod terminal;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::case::Theme;

fn main() -> ExitCode {
    let themes = [
        Theme { name: "run", cases: run::CASES },
        Theme { name: "exec", cases: exec::CASES },
        Theme { name: "stop", cases: stop::CASES },
        Theme { name: "terminal", cases: terminal::CASES },
        Theme { name: "network", cases: network::CASES },
        Theme { name: "build", cases: build::CASES },
        Theme { name: "demo_image", cases: demo_image::CASES },
    ];
    let mut arguments = Arguments::from_args();
    // Most of the time each of them waits for some process.
    arguments.test_threads.get_or_insert(3);
    libtest_mimic::run(&arguments, case::trials(&themes)).exit_code()
}
