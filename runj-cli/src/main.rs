//! `runj`, the container runtime for FreeBSD jails.
//!
//! Only glue: flags in `flags.rs`, one file a verb in `verbs/`, everything else in the libraries.

mod advice;
mod flags;
mod foreground;
mod log;
mod style;
mod verbs;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Error;
use runj_flags::Stop;
// Most verbs end before the C library's would be worth its start.
use runj_malloc as _;

use crate::flags::{Flags, Verb};
use crate::style::BAD;

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    let flags: Flags = match runj_flags::parse(std::env::args_os().skip(1)) {
        Ok(flags) => flags,
        Err(stop) => return stopped(&stop),
    };
    let outcome = log::start(&flags).and_then(|()| run(&flags));
    match outcome {
        Ok(status) => status,
        Err(error) => {
            // An engine reads it from the log, and its user has not typed our flags; a person reads
            // it from the terminal.
            tracing::error!("{}", one_line(&format!("{error:#}")));
            complain(&one_line(&in_flags(&error, &flags)));
            if io::stderr().is_terminal()
                && let Some(advice) = advice::on(&error, &flags)
            {
                eprintln!("      {advice}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<ExitCode, Error> {
    let runtime = runj_runtime::Runtime::new(&flags.root);
    match &flags.verb {
        Verb::Completions(completions) => apart(|| verbs::completions::run(completions)),
        Verb::Config(config) => apart(|| verbs::config::run(flags, config)),
        Verb::Create(create) => apart(|| verbs::create::run(&runtime, create)),
        Verb::Delete(delete) => apart(|| verbs::delete::run(&runtime, delete)),
        Verb::Events(events) => apart(|| verbs::events::run(&runtime, events)),
        Verb::Demo(demo) => apart(|| verbs::demo::run(demo)),
        Verb::Doctor(doctor) => apart(|| verbs::doctor::run(doctor)),
        Verb::Exec(exec) => apart(|| verbs::exec::run(&runtime, exec)),
        Verb::Features(_) => apart(verbs::features::run),
        Verb::Kill(kill) => apart(|| verbs::kill::run(&runtime, kill)),
        Verb::List(list) => apart(|| verbs::list::run(&runtime, list)),
        Verb::Man(man) => apart(|| verbs::man::run(man)),
        Verb::Pause(pause) => apart(|| verbs::pause::run(&runtime, pause)),
        Verb::Ps(ps) => apart(|| verbs::ps::run(&runtime, ps)),
        Verb::Resume(resume) => apart(|| verbs::resume::run(&runtime, resume)),
        Verb::Run(run) => apart(|| verbs::run::run(&runtime, run)),
        Verb::Spec(spec) => apart(|| verbs::spec::run(spec)),
        Verb::Start(start) => apart(|| verbs::start::run(&runtime, start)),
        Verb::State(state) => apart(|| verbs::state::run(&runtime, state)),
        Verb::Update(update) => apart(|| verbs::update::run(&runtime, update)),
    }
}

/// Has a frame of the stack of its own: one for all verbs together would be twenty pages, and each is a
/// page fault even where the verb has no use for it.
#[inline(never)]
fn apart<T>(verb: impl FnOnce() -> T) -> T {
    verb()
}

/// Help and version as asked for; anything else is an error like every other: one line, status 1.
fn stopped(stop: &Stop) -> ExitCode {
    let text = match stop {
        Stop::Help(path) => runj_flags::help(path),
        Stop::Version => flags::version() + "\n",
        Stop::Misuse(misuse) => {
            complain(&one_line(&misuse.to_string()));
            return ExitCode::FAILURE;
        }
    };
    // Whoever closed our output does not want it.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// The error in one line, by the names that things have on the command line.
fn in_flags(error: &Error, flags: &Flags) -> String {
    match error.downcast_ref::<runj_runtime::Error>() {
        Some(error) => error.line(&|input| flags.of_input(input)),
        None => format!("{error:#}"),
    }
}

/// Says on standard error what went wrong.
fn complain(message: &str) {
    anstream::eprintln!("{BAD}runj:{BAD:#} {message}");
}

fn one_line(text: &str) -> String {
    printable(&text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

/// The text without what a terminal would obey: some of it may be the container's.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}
