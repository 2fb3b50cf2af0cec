//! The programs under test, and the one that tests with them.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::executable::copy_program;

/// `runj` and `runj-probe`, copied to where nobody builds them anew while they are being used.
#[derive(Debug)]
pub struct Programs {
    dir: TempDir,
}

impl Programs {
    /// Takes them from the environment (`RUNJ`, `RUNJ_PROBE`). Where that does not name them,
    /// `runj` is built, and the probe is `built_probe`, which cargo has built for the tests.
    ///
    /// # Panics
    ///
    /// When there is no cargo to build with, or it fails, or the programs cannot be copied.
    #[must_use]
    pub fn locate(built_probe: &str) -> Self {
        Self::copy(named("RUNJ").unwrap_or_else(|| build("runj")), built_probe)
    }

    /// The same with a `runj` that has fault points ([`runj_with_faults`]).
    ///
    /// # Panics
    ///
    /// As [`locate`](Self::locate).
    #[must_use]
    pub fn locate_with_faults(built_probe: &str) -> Self {
        Self::copy(runj_with_faults(), built_probe)
    }

    /// With `runj-demo` beside `runj`: the one that `RUNJ_DEMO` names, or else it is built.
    ///
    /// # Panics
    ///
    /// As [`locate`](Self::locate).
    #[must_use]
    pub fn with_demo(self) -> Self {
        let demo = named("RUNJ_DEMO").unwrap_or_else(|| build("runj-demo"));
        copy_program(&demo, &self.runj().with_file_name("runj-demo"));
        self
    }

    fn copy(runj: PathBuf, built_probe: &str) -> Self {
        let probe = named("RUNJ_PROBE").unwrap_or_else(|| built_probe.into());
        let dir = tempfile::Builder::new().prefix("runj-test-programs-").tempdir().unwrap();
        // Users in containers are to reach the probe.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let programs = Self { dir };
        fs::create_dir(programs.probe_dir()).unwrap();
        for (from, to) in
            [(runj, programs.runj()), (probe, programs.probe_dir().join("runj-probe"))]
        {
            copy_program(&from, &to);
        }
        programs
    }

    pub(crate) fn runj(&self) -> PathBuf {
        self.dir.path().join("runj")
    }

    /// A directory with nothing but the probe in it.
    pub(crate) fn probe_dir(&self) -> PathBuf {
        self.dir.path().join("probe")
    }
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

/// Builds a program as the tests were built, so that it is never an old one.
///
/// # Panics
///
/// When there is no cargo to build it with, or it fails.
#[must_use]
pub fn build(program: &str) -> PathBuf {
    let mut command = cargo(program);
    // Of the whole workspace, since that decides which features its dependencies have: what is
    // built already is not built again in another way.
    command.args(["build", "--quiet", "--workspace", "--bin", program]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    executable(command, program)
}

/// The `runj` with fault points, beside which the shim's program with its own is: the one that
/// `RUNJ_FAULTS` names, or else both are built in a directory of their own.
///
/// # Panics
///
/// As [`build`].
#[must_use]
pub fn runj_with_faults() -> PathBuf {
    named("RUNJ_FAULTS").unwrap_or_else(build_with_faults)
}

fn build_with_faults() -> PathBuf {
    let mut command = cargo("runj with fault points (RUNJ_FAULTS)");
    command.args(["build", "--quiet", "--profile", "faults"]);
    for package in ["runj-cli", "runj-shim"] {
        command.args(["--package", package, "--features", &format!("{package}/fault-points")]);
    }
    executable(command, "runj")
}

fn cargo(program: &str) -> Command {
    let cargo = env::var_os("CARGO")
        .unwrap_or_else(|| panic!("nothing names a {program}, and there is no cargo to build it"));
    Command::new(cargo)
}

/// Where cargo has put the program that the command builds.
fn executable(mut command: Command, program: &str) -> PathBuf {
    command.arg("--message-format=json-render-diagnostics");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    let output = command.output().expect("cargo");
    assert!(output.status.success(), "cargo build of {program}: {}", output.status);
    output
        .stdout
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo says where it has put a program")
}
