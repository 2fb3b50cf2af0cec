//! `cargo xtask freebsd`: runj for FreeBSD, seen from any host.

mod abi_note;
mod bench;
mod cross;
mod machine;
mod report;
mod rust_src;
mod standard_library;
mod test;

use std::process::Command;

use anyhow::Result;
use clap::{Args, Subcommand};

pub(crate) use self::abi_note::release;
pub(crate) use self::cross::Cross;
pub(crate) use self::standard_library::Purpose;
use self::standard_library::StandardLibrary;
use crate::run::run;

/// What runj is made for.
const TARGETS: [&str; 2] = ["x86_64-unknown-freebsd", "aarch64-unknown-freebsd"];

/// Checks, tests and measures on FreeBSD, from any host
#[derive(Subcommand)]
pub(crate) enum Verb {
    Bench(bench::Bench),
    Check(Check),
    Test(test::Test),
}

impl Verb {
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::Bench(bench) => bench.run(),
            Self::Check(check) => check.run(),
            Self::Test(test) => test.run(),
        }
    }
}

/// Type-checks and lints the code for FreeBSD on amd64 and arm64
///
/// Nothing is linked, so neither a linker nor a sysroot for FreeBSD is needed. The standard library
/// is the toolchain's own if it has one for these targets. Otherwise it is built from the
/// toolchain's rust-src component, or from Debian's rust-src package, which is fetched into
/// target/freebsd.
#[derive(Args, Default)]
pub(crate) struct Check {
    /// A crate to check, instead of all of them
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<()> {
        let mut clippy = Command::new("cargo");
        clippy.arg("clippy");
        StandardLibrary::find()?.tell(&mut clippy, Purpose::Tests);
        // A directory of its own: the variables that go with -Zbuild-std would make cargo discard
        // what builds for the host have left, and those would discard this.
        clippy.args(["--target-dir", "target/freebsd/build"]);
        for target in TARGETS {
            clippy.args(["--target", target]);
            // As what is used there is linked: runj-malloc has nothing in it otherwise.
            clippy.env(cross::of_target(target, "RUSTFLAGS"), cross::STATIC);
        }
        if self.packages.is_empty() {
            clippy.arg("--workspace");
        }
        clippy.args(self.packages.iter().flat_map(|package| ["--package", package]));
        run(clippy.args(["--all-targets", "--", "-D", "warnings"]))
    }
}
