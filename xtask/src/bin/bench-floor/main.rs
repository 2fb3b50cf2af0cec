//! The floor of `cargo xtask bench`: what a container runtime would cost that did nothing but the
//! system calls that the job needs.
//!
//! It has a runtime's commands, so that it is called as one is: each is a process, and between two
//! of them there is a file. `whole` does everything in one process and prints how long it took.
//! It checks nothing, is safe from nobody, and recovers from nothing: it is no runtime.
//!
//! In a container it is also the program: `exit` and `wait`.

// Printing is what some of its commands are for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod files;
#[allow(unsafe_code)]
mod sys;

use std::ffi::CString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pause, setsid};

use self::files::State;
use self::sys::Forked;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        // As a runtime.
        ["--root", root, ref verb @ ..] => verb_of(Path::new(root), verb),
        ["--version"] => {
            println!("bench-floor version {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
        ["whole", "--bundle", bundle, ref program @ ..] => whole(Path::new(bundle), program),
        // Around a runtime.
        ["peak", program, ref args @ ..] => peak(program, args),
        // In a container.
        ["exit"] => Ok(ExitCode::SUCCESS),
        ["wait"] => {
            pause();
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(format!("unknown arguments: {args:?}").into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("bench-floor: {error}");
        ExitCode::FAILURE
    })
}

fn verb_of(root: &Path, verb: &[&str]) -> Result<ExitCode, Error> {
    match *verb {
        ["create", "--bundle", bundle, "--pid-file", pid_file, id, "--", ref program @ ..] => {
            create(root, Path::new(bundle), Path::new(pid_file), id, program)?;
        }
        ["start", id] => start(root, id)?,
        ["state", id] => println!("{}", State::read(root, id)?.json(id)),
        ["exec", id, "--", ref program @ ..] => return exec(root, id, program),
        ["kill", id, "KILL"] => kill(Pid::from_raw(State::read(root, id)?.pid), Signal::SIGKILL)?,
        ["delete", id] => delete(root, id)?,
        ["list"] => {
            let mut table = io::stdout().lock();
            for (id, state) in State::all(root)? {
                writeln!(table, "{}", state.json(&id))?;
            }
        }
        _ => return Err(format!("unknown command: {verb:?}").into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The jail and its mounts, and a process that waits to enter.
fn create(
    root: &Path,
    bundle: &Path,
    pid_file: &Path,
    id: &str,
    program: &[&str],
) -> Result<(), Error> {
    let jail_root = bundle.join("rootfs");
    let argv = argv(program)?;
    let jail = sys::create(&jail_root, id)?;
    let listener = UnixListener::bind(files::socket(root, id))?;
    let pid = match sys::fork_for(jail)? {
        Forked::Parent(pid) => pid,
        Forked::Child => {
            let entered = || -> Result<(), Error> {
                setsid()?;
                // Close-on-exec, so that the end of the connection is the news of the exec.
                let (_connection, _) = listener.accept()?;
                drop(listener);
                sys::enter(jail, &jail_root)?;
                Err(sys::exec(&argv).into())
            };
            return match entered() {
                Err(error) => Err(error),
                Ok(()) => Err("execve(2) returned".into()),
            };
        }
    };
    State { pid, jail, jail_root }.write(root, id)?;
    std::fs::write(pid_file, pid.to_string())?;
    Ok(())
}

fn start(root: &Path, id: &str) -> Result<(), Error> {
    // As every verb that changes something: it has to know that there is such a container.
    State::read(root, id)?;
    let mut connection = UnixStream::connect(files::socket(root, id))?;
    connection.read_to_end(&mut Vec::new())?;
    Ok(())
}

fn exec(root: &Path, id: &str, program: &[&str]) -> Result<ExitCode, Error> {
    let state = State::read(root, id)?;
    let argv = argv(program)?;
    match sys::fork_for(state.jail)? {
        Forked::Parent(pid) => match waitpid(Pid::from_raw(pid), None)? {
            WaitStatus::Exited(_, status) => Ok(u8::try_from(status)?.into()),
            _ => Ok(ExitCode::FAILURE),
        },
        Forked::Child => {
            sys::enter(state.jail, &state.jail_root)?;
            Err(sys::exec(&argv).into())
        }
    }
}

fn delete(root: &Path, id: &str) -> Result<(), Error> {
    let state = State::read(root, id)?;
    sys::remove(state.jail, &state.jail_root)?;
    State::remove(root, id)?;
    Ok(())
}

/// The same in one process, without what only serves to find things again: no files, no
/// connection. Prints how many nanoseconds it took, without the program's own life.
fn whole(bundle: &Path, program: &[&str]) -> Result<ExitCode, Error> {
    let jail_root = bundle.join("rootfs");
    let argv = argv(program)?;
    let begun = Instant::now();
    let jail = sys::create(&jail_root, &std::process::id().to_string())?;
    let (mut start, gate) = UnixStream::pair()?;
    let pid = match sys::fork_for(jail)? {
        Forked::Parent(pid) => pid,
        Forked::Child => {
            drop(start);
            setsid()?;
            (&gate).read_exact(&mut [0])?;
            sys::enter(jail, &jail_root)?;
            return Err(sys::exec(&argv).into());
        }
    };
    drop(gate);
    start.write_all(&[0])?;
    start.read_to_end(&mut Vec::new())?;
    let started = begun.elapsed();
    waitpid(Pid::from_raw(pid), None)?;
    let ended = Instant::now();
    sys::remove(jail, &jail_root)?;
    println!("{}", (started + ended.elapsed()).as_nanos());
    Ok(ExitCode::SUCCESS)
}

/// Runs a program and prints the most memory that was resident in it or in a process that it
/// waited for, in KiB. Whoever executes a program counts as well, until then: so it is this one,
/// which is small.
fn peak(program: &str, args: &[&str]) -> Result<ExitCode, Error> {
    // What is left of the program, such as a container's process, must not hold our output open.
    let status: ExitStatus =
        Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err(format!("{program} {args:?}: {status}").into());
    }
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(ExitCode::SUCCESS)
}

fn argv(program: &[&str]) -> Result<Vec<CString>, Error> {
    Ok(program.iter().map(|&word| CString::new(word)).collect::<Result<_, _>>()?)
}
