//! The verbs of `runj demo` that a program of its own does: with what they need, TLS above all, runj
//! would have twice its size.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Error, anyhow};

/// Beside runj, or else in PATH.
const PROGRAM: &str = "runj-demo";

/// Becomes the program, with that command line.
pub(crate) fn run(line: Vec<OsString>) -> Result<ExitCode, Error> {
    let beside = env::current_exe().ok().map(|runj| runj.with_file_name(PROGRAM));
    let program = beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(PROGRAM));
    let error = Command::new(&program).args(line).exec();
    if error.kind() == ErrorKind::NotFound && program == Path::new(PROGRAM) {
        return Err(anyhow!(
            "{PROGRAM}: not installed: it is a program of its own, looked for beside runj and in \
             PATH, and `cargo build --release --package {PROGRAM}` builds it"
        ));
    }
    Err(error).with_context(|| format!("{program:?}"))
}
