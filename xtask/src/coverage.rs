//! `cargo xtask coverage`: the page that says what becomes of each field of a configuration.

use anyhow::Result;
use clap::Args;
use runj_tests::coverage;

use crate::generated::Generated;

/// Writes docs/coverage.md, which is made from tests/coverage.json
#[derive(Args)]
pub(crate) struct Coverage {}

impl Coverage {
    pub(crate) fn run(&self) -> Result<()> {
        file().write()
    }
}

pub(crate) fn file() -> Generated {
    let text = coverage::Coverage::table().page();
    Generated { path: coverage::Coverage::PAGE, verb: "coverage", text }
}
