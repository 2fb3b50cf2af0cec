//! runj's chores, as `cargo xtask VERB`. One file per verb; [`run`] starts the programs they need.

// Talking to the person who typed the command is what this crate is for.
#![allow(clippy::print_stderr)]

mod apt;
mod bench;
mod build;
mod check;
mod containerd;
mod coverage;
mod demo;
mod deny;
mod dependencies;
mod dist;
mod engines;
mod freebsd;
mod fuzz;
mod generated;
mod jail_root;
mod port;
mod publishable;
mod reference;
mod run;
mod schema;
mod soak;
mod test;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about)]
enum Verb {
    Bench(bench::Bench),
    Check(check::Check),
    Coverage(coverage::Coverage),
    Demo(demo::Demo),
    Deny(deny::Deny),
    Dist(dist::Dist),
    #[command(subcommand)]
    Freebsd(freebsd::Verb),
    Fuzz(fuzz::Fuzz),
    Port(port::Port),
    Publishable(publishable::Publishable),
    Reference(reference::Reference),
    Schema(schema::Schema),
    Soak(soak::Soak),
    Test(test::Test),
}

fn main() -> ExitCode {
    match chore(Verb::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            error.downcast_ref::<run::Failed>().map_or(ExitCode::FAILURE, run::Failed::exit_code)
        }
    }
}

fn chore(verb: Verb) -> Result<()> {
    // Every path in this crate is relative to the workspace, and so are the commands it shows.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    env::set_current_dir(&workspace).with_context(|| format!("{}", workspace.display()))?;

    match verb {
        Verb::Bench(bench) => bench.run(),
        Verb::Check(check) => check.run(),
        Verb::Coverage(coverage) => coverage.run(),
        Verb::Demo(demo) => demo.run(),
        Verb::Deny(deny) => deny.run(),
        Verb::Dist(dist) => dist.run(),
        Verb::Freebsd(verb) => verb.run(),
        Verb::Fuzz(fuzz) => fuzz.run(),
        Verb::Port(port) => port.run(),
        Verb::Publishable(publishable) => publishable.run(),
        Verb::Reference(reference) => reference.run(),
        Verb::Schema(schema) => schema.run(),
        Verb::Soak(soak) => soak.run(),
        Verb::Test(test) => test.run(),
    }
}
