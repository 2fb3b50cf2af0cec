//! Building programs with cargo, and knowing where they are.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{Artifact, Message};

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
    Ok(artifacts(cargo)?.iter().filter_map(program).collect())
}

/// Shows and runs a cargo command that builds; all that it says it has built, the crates too.
///
/// # Errors
/// cargo cannot be started, or fails.
pub(crate) fn artifacts(cargo: &mut Command) -> Result<Vec<Artifact>> {
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let line = command_line(cargo);
    eprintln!("$ {line}");
    let mut child =
        cargo.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let messages = child.stdout.take().context("cargo has no standard output")?;
    let mut artifacts = Vec::new();
    for message in Message::parse_stream(BufReader::new(messages)) {
        if let Message::CompilerArtifact(artifact) = message? {
            artifacts.push(artifact);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(artifacts)
}

/// The program, if that is what was built.
fn program(artifact: &Artifact) -> Option<Program> {
    let path = artifact.executable.clone()?;
    let test = artifact.profile.test;
    // cargo adds a hash to the names of test programs; the crate's name says more.
    let name = if test {
        let directory = artifact.manifest_path.parent().and_then(Utf8Path::file_name);
        format!("{}.{}", directory.unwrap_or_default(), artifact.target.name)
    } else {
        path.file_name().unwrap_or_default().to_owned()
    };
    Some(Program { name, path: path.into(), test })
}

/// Where the program of that name is.
///
/// # Errors
/// It is not among them.
pub(crate) fn find<'a>(programs: &'a [Program], name: &str) -> Result<&'a Path> {
    let program = programs.iter().find(|program| program.name == name && !program.test);
    Ok(&program.with_context(|| format!("cargo has built no {name}"))?.path)
}
