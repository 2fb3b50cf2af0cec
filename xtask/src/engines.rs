//! The podman, buildah and conmon that the tests are run with, from Debian's packages.

use std::fs;

use anyhow::{Context as _, Result};

use crate::apt::Home;

/// Where they are put, of which the tests know.
const HOME: &str = "target/engines";

/// The suite with the oldest that are in use.
const SUITE: &str = "bookworm";

/// The programs, what they read, and the libraries that a Debian need not have.
const PACKAGES: [&str; 12] = [
    "podman",
    "buildah",
    "conmon",
    "golang-github-containers-common",
    "golang-github-containers-image",
    "libassuan0",
    "libdevmapper1.02.1",
    "libglib2.0-0",
    "libgpgme11",
    "libseccomp2",
    "libsubid4",
    "libsystemd0",
];

/// Sets them up, unless they are there already.
///
/// # Errors
/// This is not a Debian machine, or Debian does not serve one of them.
pub(crate) fn set_up() -> Result<()> {
    let home = Home::lock(HOME)?;
    let directory = home.path().join(SUITE);
    if directory.exists() {
        return Ok(());
    }
    let suite = home.suite(SUITE)?;
    let [podman, others @ ..] = PACKAGES;
    let unpacked = suite.unpack(podman)?;
    for package in others {
        suite.unpack(package)?;
    }
    // Whole or not at all.
    fs::rename(unpacked, &directory).with_context(|| format!("{}", directory.display()))
}
