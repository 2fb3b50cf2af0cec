//! Jails, made and entered for real, through the public API: on FreeBSD, and on Linux as the
//! emulation makes them. The same cases hold on both; the few that look behind the scenes of the
//! emulation are in `emulation`.
//!
//! They need root. To anybody else the harness reports them as ignored.

// The lints for tests do not see that this is one, since it has a harness of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod dying;
#[cfg(target_os = "linux")]
mod emulation;
mod hierarchy;
mod isolation;
mod lifecycle;
mod limits;
mod nested;
mod network;
mod processes;
mod refusals;
mod support;
#[allow(unsafe_code)]
mod sys;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};
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
    let not_on_linux = |reason| cfg!(target_os = "linux").then_some(reason);
    let enforced = root && limits::are_enforced();
    for (module, cases, only) in [
        ("lifecycle", lifecycle::CASES, None),
        ("refusals", refusals::CASES, None),
        ("isolation", isolation::CASES, None),
        ("hierarchy", hierarchy::CASES, None),
        ("network", network::CASES, None),
        ("processes", processes::CASES, None),
        ("dying", dying::CASES, not_on_linux(dying::ONLY_FREEBSD)),
        ("nested", nested::CASES, not_on_linux(nested::ONLY_FREEBSD)),
        ("limits", limits::CASES, (!enforced).then_some("this host enforces no limits")),
        ("no_limits", limits::without::CASES, enforced.then_some("this host enforces limits")),
        #[cfg(target_os = "linux")]
        ("emulation", emulation::CASES, None),
    ] {
        let why_not = match only {
            _ if !root => Some("needs root"),
            reason => reason,
        };
        for &(name, case) in cases {
            let run = move || {
                if let Some(reason) = why_not {
                    return Ok(Completion::ignored_with(reason));
                }
                case();
                Ok(Completion::Completed)
            };
            trials.push(Trial::ignorable_test(format!("{module}::{name}"), run));
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
