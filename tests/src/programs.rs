//! The programs under test, and the one that tests with them.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

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
        let named = |variable| env::var_os(variable).map(PathBuf::from);
        let runj = named("RUNJ").unwrap_or_else(|| build("runj"));
        let probe = named("RUNJ_PROBE").unwrap_or_else(|| built_probe.into());
        let dir = tempfile::Builder::new().prefix("runj-test-programs-").tempdir().unwrap();
        // Users in containers are to reach the probe.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let programs = Self { dir };
        fs::create_dir(programs.probe_dir()).unwrap();
        for (from, to) in
            [(runj, programs.runj()), (probe, programs.probe_dir().join("runj-probe"))]
        {
            fs::copy(&from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
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

/// Builds a program as the tests were built, so that it is never an old one.
pub(crate) fn build(program: &str) -> PathBuf {
    let cargo = env::var_os("CARGO")
        .unwrap_or_else(|| panic!("nothing names a {program}, and there is no cargo to build it"));
    let mut command = Command::new(cargo);
    // Of the whole workspace, since that decides which features its dependencies have: what is
    // built already is not built again in another way.
    command.args(["build", "--quiet", "--workspace", "--bin", program]);
    command.arg("--message-format=json-render-diagnostics");
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    let output = command.output().expect("cargo");
    assert!(output.status.success(), "cargo build --bin {program}: {}", output.status);
    output
        .stdout
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo says where it has put a program")
}
