//! `runj-demo`: what `runj demo` leaves to it, so that nobody's container runtime has TLS in it.

mod digest;
mod download;
mod image;
mod progress;
mod sys;

use std::io::{self, Write as _};
use std::process::ExitCode;

use runj_demo::{Flags, Verb};
use runj_flags::Stop;

fn main() -> ExitCode {
    let flags: Flags = match runj_flags::parse(std::env::args_os().skip(1)) {
        Ok(flags) => flags,
        Err(stop) => return stopped(&stop),
    };
    let outcome = match flags.verb {
        Verb::Download(download) => download::run(&download),
        Verb::OciImage(image) => image::run(&image),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What is called is runj, which becomes this program.
            anstream::eprintln!("runj: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn stopped(stop: &Stop) -> ExitCode {
    let text = match stop {
        Stop::Help(path) => runj_flags::help(path),
        Stop::Version => format!("runj-demo {}\n", env!("CARGO_PKG_VERSION")),
        Stop::Misuse(misuse) => {
            anstream::eprintln!("runj: {misuse}");
            return ExitCode::FAILURE;
        }
    };
    // Whoever closed our output does not want it.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
