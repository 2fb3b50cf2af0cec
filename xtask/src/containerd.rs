//! The releases of containerd that the tests are run with, from Debian's packages.

use std::fs;

use anyhow::{Context as _, Result};

use crate::apt::Home;

/// Where they are put, a directory each, of which the tests know.
const HOME: &str = "target/containerd";

/// Debian's suites with a containerd of each generation in use: 1.6, 1.7 and 2.
const SUITES: [&str; 3] = ["bookworm", "trixie", "forky"];

/// The program that the tests' image is made of, static, is in this suite.
const BUSYBOX_SUITE: &str = SUITES[0];

/// Sets them up, unless they are there already.
///
/// # Errors
/// This is not a Debian machine, or Debian does not serve one of them.
pub(crate) fn set_up() -> Result<()> {
    let home = Home::lock(HOME)?;
    for name in SUITES {
        let directory = home.path().join(name);
        if directory.exists() {
            continue;
        }
        let suite = home.suite(name)?;
        if name == BUSYBOX_SUITE {
            suite.unpack("busybox-static")?;
        }
        let unpacked = suite.unpack("containerd")?;
        // Whole or not at all.
        fs::rename(unpacked, &directory).with_context(|| format!("{}", directory.display()))?;
    }
    Ok(())
}
