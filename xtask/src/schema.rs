//! `cargo xtask schema`: the JSON Schema that editors are pointed to.

use anyhow::Result;
use clap::Args;
use runj_spec::Extension;

use crate::generated::Generated;

/// Writes the JSON Schema of runj.ext.json, which is made from the types of runj-spec
#[derive(Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self) -> Result<()> {
        file()?.write()
    }
}

pub(crate) fn file() -> Result<Generated> {
    let mut text = serde_json::to_string_pretty(&Extension::json_schema())?;
    text.push('\n');
    Ok(Generated { path: "runj-spec/schema/runj.ext.schema.json", verb: "schema", text })
}
