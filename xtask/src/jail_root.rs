//! A small root for the tests' containers, which borrows nothing of the host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::build::{build, find};

/// What tells the tests where it is.
pub(crate) const VARIABLE: &str = "RUNJ_TEST_ROOT";

/// Builds the program in it for this machine, statically linked: the tests' probe. `flags` are
/// more of rustc's.
pub(crate) fn build_probe(flags: Option<&str>) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--package", "runj-tests", "--bin", "runj-probe"]);
    // Named, the target is none that build scripts and macros are built for, which cannot be static.
    cargo.args(["--target", "host-tuple", "--target-dir", "target/static"]);
    let flags = flags.unwrap_or_default();
    cargo.env("RUSTFLAGS", format!("-Ctarget-feature=+crt-static {flags}"));
    Ok(find(&build(&mut cargo)?, "runj-probe")?.to_owned())
}

/// Makes the root, of the probe and of the directories that containers have things mounted on.
pub(crate) fn make(root: &Path, probe: &Path) -> Result<()> {
    for directory in ["bin", "dev", "tmp"] {
        fs::create_dir_all(root.join(directory))?;
    }
    // With its mode.
    fs::copy(probe, root.join("bin/runj-probe")).with_context(|| format!("{}", probe.display()))?;
    Ok(())
}
