//! Jails, made and entered for real, through the public API: on FreeBSD, and on Linux as the
//! emulation makes them. The same cases hold on both; the few that look behind the scenes of the
//! emulation are in `emulation`.
//!
//! They need root. To anybody else the harness reports them as ignored.

// The lints for tests do not see that this is one, since it has a harness of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod emulation;
mod hierarchy;
mod isolation;
mod lifecycle;
mod network;
mod refusals;
mod support;
#[allow(unsafe_code)]
mod sys;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::unistd::geteuid;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One after the other, on this thread: a child may then do what it likes, since no other
    // thread can have left a lock behind.
    arguments.test_threads = Some(1);
    let root = geteuid().is_root();
    if !root {
        eprintln!("jails need root: all tests of jails are ignored");
    }
    let mut trials = Vec::new();
    for (module, cases) in [
        ("lifecycle", lifecycle::CASES),
        ("refusals", refusals::CASES),
        ("isolation", isolation::CASES),
        ("hierarchy", hierarchy::CASES),
        ("network", network::CASES),
        #[cfg(target_os = "linux")]
        ("emulation", emulation::CASES),
    ] {
        for &(name, case) in cases {
            let run = move || {
                case();
                Ok(())
            };
            trials.push(Trial::test(format!("{module}::{name}"), run).with_ignored_flag(!root));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Tests by name.
type Cases = &'static [(&'static str, fn())];

/// A [`Cases`] of functions by their own names.
#[macro_export]
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub(crate) const CASES: $crate::Cases = &[$((stringify!($case), $case)),+];
    };
}
