//! `cargo xtask schema`: the JSON Schema that editors are pointed to.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;
use runj_spec::Extension;

/// Writes the JSON Schema of runj.ext.json, which is made from the types of runj-spec
#[derive(Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self) -> Result<()> {
        let path = Path::new("runj-spec/schema/runj.ext.schema.json");
        let mut text = serde_json::to_string_pretty(&Extension::json_schema())?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("{}", path.display()))?;
        eprintln!("{} is written", path.display());
        Ok(())
    }
}
