//! `cargo xtask reference`: the page that says what can be written into a bundle's documents.

use anyhow::Result;
use clap::Args;
use runj_tests::reference;

use crate::generated::Generated;

/// Writes docs/configuration.md, which is made from the types of runj-spec
#[derive(Args)]
pub(crate) struct Reference {}

impl Reference {
    pub(crate) fn run(&self) -> Result<()> {
        file().write()
    }
}

pub(crate) fn file() -> Generated {
    Generated { path: reference::PAGE, verb: "reference", text: reference::page() }
}
