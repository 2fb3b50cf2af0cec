//! What the kernel makes of a jail's parameters, asked of the kernel itself with nothing in front,
//! and beside each answer what a bundle with the same wish gets from runj before the kernel is
//! asked. Where the two differ, the case says why.
//!
//! One case is one rule of `kern_jail_set` (sys/kern/kern_jail.c). The same cases have the same
//! answers on FreeBSD and on the development host. This takes root; the harness reports the cases
//! as ignored to anybody else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod addresses;
mod ask;
mod inside;
mod modes;
mod names;
mod numbers;
mod sharing;

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
        eprintln!("these need root");
    }
    let mut trials = Vec::new();
    for (module, cases) in [
        ("modes", modes::CASES),
        ("addresses", addresses::CASES),
        ("sharing", sharing::CASES),
        ("names", names::CASES),
        ("numbers", numbers::CASES),
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

/// Rules by name.
type Cases = &'static [(&'static str, fn())];

/// A [`Cases`] of functions by their own names.
#[macro_export]
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub(crate) const CASES: $crate::Cases = &[$((stringify!($case), $case)),+];
    };
}
