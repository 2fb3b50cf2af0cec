//! Programs that the tests make and then have executed.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script for the shell to `path`, which may be executed at once.
///
/// # Panics
///
/// When it cannot be written.
pub fn write_script(path: &Path, text: &str) {
    let mut child = writing(path).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"#!/bin/sh\n").unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success(), "{}", path.display());
}

/// Copies the program `from` to `to`, which may be executed at once.
///
/// # Panics
///
/// When it cannot be copied.
pub fn copy_program(from: &Path, to: &Path) {
    let file = File::open(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    assert!(writing(to).stdin(file).status().unwrap().success(), "{}", to.display());
}

/// A process that writes its standard input to an executable file.
///
/// Were it this one, the children that other threads are just making would have the descriptor as
/// well until they execute something, and for as long the kernel refuses to execute the file: it
/// could still be written to (ETXTBSY).
fn writing(path: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"cat >"$0" && chmod 755 "$0""#]).arg(path);
    command
}
