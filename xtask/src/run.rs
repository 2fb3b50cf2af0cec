//! Starting programs: shown first, as a person would type them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context as _, Result};

/// A program that ran and did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("`{line}` failed: {status}")]
pub(crate) struct Failed {
    line: String,
    status: ExitStatus,
}

impl Failed {
    /// What a shell would report for the same command: its status, or 128 and the signal.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let code = self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal));
        code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
    }
}

/// Shows `command` and runs it on this terminal.
///
/// # Errors
/// The program cannot be started, or [`Failed`].
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    eprintln!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    succeeded(line, status)
}

/// Whether cargo has that verb, which may be a program to install.
pub(crate) fn cargo_has(verb: &str) -> bool {
    let mut cargo = Command::new("cargo");
    cargo.args([verb, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    cargo.status().is_ok_and(|status| status.success())
}

/// Shows `command`, runs it and passes on what it writes to stdout; `see` gets every line of it.
///
/// # Errors
/// The program cannot be started, or [`Failed`].
pub(crate) fn run_seeing(command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    let line = command_line(command);
    eprintln!("$ {line}");
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let mut output = BufReader::new(child.stdout.take().context("it has no standard output")?);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        io::stdout().write_all(&bytes)?;
        see(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    succeeded(line, child.wait()?)
}

/// Runs `command` without showing it and returns what it writes to stdout.
///
/// # Errors
/// The program cannot be started, [`Failed`], or it writes something other than UTF-8.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start `{line}`"))?;
    succeeded(line, output.status)?;
    Ok(String::from_utf8(output.stdout)?)
}

fn succeeded(line: String, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { Err(Failed { line, status }.into()) }
}

/// The command as it would be typed into a shell: directory, variables, program, arguments.
pub(crate) fn command_line(command: &Command) -> String {
    let mut line = String::new();
    if let Some(dir) = command.get_current_dir() {
        line += &format!("cd {} && ", quoted(dir.as_os_str()));
    }
    for (name, value) in command.get_envs() {
        // A variable without a value is one taken away, which nothing here does.
        line += &format!("{}={} ", quoted(name), quoted(value.unwrap_or_default()));
    }
    line += &quoted(command.get_program());
    for arg in command.get_args() {
        line += &format!(" {}", quoted(arg));
    }
    line
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    // Only a NUL cannot be quoted, and a command line cannot have one.
    shlex::try_quote(&word).map_or_else(|_| word.to_string(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_person_would_type() {
        let mut command = Command::new("cargo");
        command.args(["doc", "--no-deps", "it's"]).env("RUSTDOCFLAGS", "-D warnings");
        let line = command_line(command.current_dir("target"));
        assert_eq!(line, r#"cd target && RUSTDOCFLAGS='-D warnings' cargo doc --no-deps "it's""#);
    }

    #[test]
    fn reports_the_status_of_the_program() {
        let error = run(Command::new("sh").args(["-c", "exit 42"])).unwrap_err();
        let failed = error.downcast_ref::<Failed>().unwrap();
        assert_eq!(failed.exit_code(), ExitCode::from(42));
        assert!(error.to_string().contains("`sh -c 'exit 42'` failed: exit status: 42"));
    }

    #[test]
    fn reports_a_signal_as_a_shell_does() {
        let error = run(Command::new("sh").args(["-c", "kill -TERM $$"])).unwrap_err();
        let failed = error.downcast_ref::<Failed>().unwrap();
        assert_eq!(failed.exit_code(), ExitCode::from(128 + 15));
    }
}
