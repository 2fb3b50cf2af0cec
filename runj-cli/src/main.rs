//! `runj`, the container runtime for FreeBSD jails.
//!
//! Only glue: flags in `flags.rs`, one file a verb in `verbs/`, everything else in the libraries.

mod flags;
mod foreground;
mod log;
mod verbs;

use std::process::ExitCode;

use anyhow::Error;
use clap::Parser as _;
use clap::error::ErrorKind;

use crate::flags::{Flags, Verb};

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return misused(&error),
    };
    let outcome =
        log::start(&flags).and_then(|()| foreground::notice_children()).and_then(|()| run(&flags));
    match outcome {
        Ok(status) => status,
        Err(error) => {
            let message = one_line(&format!("{error:#}"));
            // An engine reads it from the log, a person from the terminal.
            tracing::error!("{message}");
            eprintln!("runj: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<ExitCode, Error> {
    let runtime = runj_runtime::Runtime::new(&flags.root);
    match &flags.verb {
        Verb::Create(create) => verbs::create::run(&runtime, create),
        Verb::Delete(delete) => verbs::delete::run(&runtime, delete),
        Verb::Exec(exec) => verbs::exec::run(&runtime, exec),
        Verb::Kill(kill) => verbs::kill::run(&runtime, kill),
        Verb::List(list) => verbs::list::run(&runtime, list),
        Verb::Run(run) => verbs::run::run(&runtime, run),
        Verb::Spec(spec) => verbs::spec::run(spec),
        Verb::Start(start) => verbs::start::run(&runtime, start),
        Verb::State(state) => verbs::state::run(&runtime, state),
    }
}

/// Help and version as asked for; anything else is an error like every other: one line, status 1.
#[allow(clippy::print_stderr)]
fn misused(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever closed our output does not want it.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            let text = error.to_string();
            let message = text.split("\n\n").next().unwrap_or(&text);
            let message = message.strip_prefix("error: ").unwrap_or(message);
            eprintln!("runj: {}", one_line(message));
            ExitCode::FAILURE
        }
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
