//! Run inside a container, it says what a process sees there: one JSON object a line.
//!
//! What it is asked to try and the kernel refuses is no failure of its own: it says
//! `{"errno": "EPROTONOSUPPORT"}` and ends with status 0.

#![allow(clippy::exit, clippy::expect_used, clippy::panic)]

mod files;
mod forks;
mod limits;
mod network;
mod report;
mod signals;
#[allow(unsafe_code)]
mod sys;
#[cfg(target_os = "freebsd")]
mod tracing;

use std::io::{self, Write as _};

use nix::errno::Errno;
use nix::unistd::Pid;
use serde_json::{Value, json};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["report"] => say(&report::report()),
        ["report", "wait"] => {
            say(&report::report());
            nix::unistd::pause();
        }
        ["files", directory] => say_outcome(files::list(directory)),
        ["write", file] => say_outcome(files::write(file)),
        ["interfaces"] => say(&network::interfaces()),
        ["socket", family] => say_outcome(network::socket(family)),
        ["bind", address] => say_outcome(network::bind(address)),
        ["connect", address] => say_outcome(network::connect(address)),
        ["serve", address] => network::serve(address),
        ["set-hostname", name] => say_outcome(
            nix::unistd::sethostname(name).map(|()| json!({ "hostname": report::hostname() })),
        ),
        ["signal", pid] => say_outcome(
            // Signal 0 only asks whether there is such a process.
            nix::sys::signal::kill(Pid::from_raw(pid.parse().expect("a pid")), None)
                .map(|()| json!({ "signalled": pid })),
        ),
        #[cfg(target_os = "freebsd")]
        ["trace" | "ktrace" | "environment" | "descriptors" | "mappings", who] => {
            let victims = tracing::victims(who);
            say(&json!({ "ready": true }));
            say(&match args[0] {
                "trace" => tracing::attach(&victims),
                "ktrace" => tracing::record(&victims),
                what => tracing::read(&victims, what),
            });
        }
        ["children"] => {
            say(&limits::children());
            nix::unistd::pause();
        }
        ["memory", bytes] => say_outcome(limits::memory(bytes.parse().expect("a number"))),
        ["cpus"] => say(&limits::cpus()),
        ["burn", seconds] => say(&limits::burn(seconds.parse().expect("a number"))),
        ["count"] => {
            for count in 0u64.. {
                say(&json!({ "count": count }));
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        ["wait"] => {
            say(&json!({ "ready": true }));
            nix::unistd::pause();
        }
        ["signals"] => signals::tell(),
        ["fork-all"] => forks::all(),
        ["fork-on", lines] => forks::on(lines.parse().expect("a number")),
        // As an interpreter, for files that are to be noticed when they are executed.
        ["note", program, ..] => note(program, &args[2..]),
        ["exit", status] => std::process::exit(status.parse().expect("an exit status")),
        ["read-line"] => {
            say(&json!({ "ready": true }));
            let mut line = String::new();
            io::stdin().read_line(&mut line).expect("a line");
            say(&json!({ "line": line }));
        }
        _ => panic!("no such question: {args:?}"),
    }
}

/// Appends the name of the program and its arguments to /ran.
fn note(program: &str, args: &[&str]) {
    let name = program.rsplit('/').next().unwrap_or(program);
    let line = [&[name], args].concat().join(" ");
    let ran = std::fs::OpenOptions::new().append(true).create(true).open("/ran");
    writeln!(ran.expect("/ran"), "{line}").expect("/ran");
}

fn say(value: &Value) {
    let mut stdout = io::stdout().lock();
    // One write a line, whoever else writes there.
    stdout.write_all(format!("{value}\n").as_bytes()).expect("standard output");
    stdout.flush().expect("standard output");
}

fn say_outcome(outcome: Result<Value, Errno>) {
    say(&outcome.unwrap_or_else(|errno| json!({ "errno": format!("{errno:?}") })));
}
