//! Building programs with cargo, and knowing where they are.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::run::command_line;

/// A program that cargo has built.
pub(crate) struct Program {
    /// Its file's name, or that of its crate and target if it is a test.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) test: bool,
}

/// Shows and runs a cargo command that builds; the programs that it says it has built.
///
/// # Errors
/// cargo cannot be started, or fails.
pub(crate) fn build(cargo: &mut Command) -> Result<Vec<Program>> {
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let line = command_line(cargo);
    eprintln!("$ {line}");
    let mut child =
        cargo.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let messages = child.stdout.take().context("cargo has no standard output")?;
    let mut programs = Vec::new();
    for message in BufReader::new(messages).lines() {
        let message: Value = serde_json::from_str(&message?)?;
        let Some(path) = message["executable"].as_str() else { continue };
        let test = message["profile"]["test"].as_bool().unwrap_or_default();
        let path = PathBuf::from(path);
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // cargo adds a hash to the names of test programs; the crate's name says more.
        let name = match (test, message["target"]["name"].as_str()) {
            (true, Some(target)) => {
                let package = package_directory(&message);
                format!("{package}.{target}")
            }
            _ => file,
        };
        programs.push(Program { name, path, test });
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(programs)
}

/// Where the program of that name is.
///
/// # Errors
/// It is not among them.
pub(crate) fn find<'a>(programs: &'a [Program], name: &str) -> Result<&'a Path> {
    let program = programs.iter().find(|program| program.name == name && !program.test);
    Ok(&program.with_context(|| format!("cargo has built no {name}"))?.path)
}

/// The name of the directory of the crate that a message is about.
fn package_directory(message: &Value) -> String {
    let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
    let directory = manifest.parent().and_then(Path::file_name).unwrap_or_default();
    directory.to_string_lossy().into_owned()
}
