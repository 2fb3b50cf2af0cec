//! The programs under test, with fault points.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Where `runj` and the shim's program are.
pub(crate) struct Programs {
    pub(crate) runj: PathBuf,
    pub(crate) shim: PathBuf,
}

impl Programs {
    pub(crate) fn locate() -> Self {
        let runj = env::var_os("RUNJ_FAULTS").map_or_else(build, PathBuf::from);
        Self { shim: runj.with_file_name("containerd-shim-runj-v1"), runj }
    }
}

/// Builds both in a directory of their own; where `runj` is.
fn build() -> PathBuf {
    let cargo = env::var_os("CARGO").expect("RUNJ_FAULTS names no runj, and there is no cargo");
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--profile", "faults"]);
    for package in ["runj-cli", "runj-shim"] {
        build.args(["--package", package, "--features", &format!("{package}/fault-points")]);
    }
    build.arg("--message-format=json-render-diagnostics");
    build.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    let output = build.output().unwrap();
    assert!(output.status.success(), "cargo build: {}", output.status);
    let messages = output.stdout.split(|&byte| byte == b'\n');
    let mut messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let runj = messages
        .find(|message| message["target"]["name"] == "runj" && message["executable"].is_string());
    runj.expect("cargo says where it has put runj")["executable"].as_str().unwrap().into()
}
