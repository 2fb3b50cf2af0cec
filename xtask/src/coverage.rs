//! `cargo xtask coverage`: the page that says what becomes of each field of a configuration.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;
use runj_tests::coverage;

/// Writes docs/coverage.md, which is made from tests/coverage.json
#[derive(Args)]
pub(crate) struct Coverage {}

impl Coverage {
    pub(crate) fn run(&self) -> Result<()> {
        let path = coverage::Coverage::PAGE;
        fs::write(path, coverage::Coverage::table().page()).with_context(|| path.to_owned())?;
        eprintln!("{path} is written");
        Ok(())
    }
}
