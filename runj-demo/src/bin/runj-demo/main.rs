//! `runj-demo`: what `runj demo` leaves to it, so that nobody's container runtime has TLS in it.

mod digest;
mod download;
mod image;
mod progress;
mod sys;

use std::process::ExitCode;

use clap::Parser as _;
use runj_demo::{Flags, Verb};

fn main() -> ExitCode {
    let outcome = match Flags::parse().verb {
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
