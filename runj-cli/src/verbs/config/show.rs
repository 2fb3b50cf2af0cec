//! `runj config show`

mod rows;

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use runj_jail::{Params, Value as ParamValue};
use runj_runtime::Preview;
use runj_spec::Config;
use serde_json::{Map, Value, json};
use tabwriter::TabWriter;

use self::rows::{Row, rows};
use crate::flags::{ConfigShow, ListFormat};
use crate::style::{self, HEADING};

pub(crate) fn run(show: &ConfigShow) -> Result<ExitCode, Error> {
    let preview = Preview::of(&show.bundle)?;
    let path = show.bundle.join(Config::FILE_NAME);
    // The merged configuration has no trace of which defaults were written out.
    let given = serde_json::from_slice(&fs::read(&path).with_context(|| format!("{path:?}"))?)?;
    let rows =
        rows(&serde_json::to_value(&preview.container)?, &given, &Config::ignored(given.clone()));
    match show.format {
        ListFormat::Table => table(&rows, &preview.params, style::stdout()),
        ListFormat::Json => json(&rows, &preview.params, io::stdout().lock()),
    }
    .context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[Row], params: &Params, mut out: impl Write) -> io::Result<()> {
    let layout = TabWriter::new(&mut out).padding(2);
    let mut values = style::table(layout, ["VALUE", "IS", "FROM"])?;
    for Row { path, value, origin, ignored } in rows {
        // Without its quotes a text is easier to read, and unless it is odd as clear.
        let value = match value {
            Value::String(text) if !text.contains(char::is_control) => text.clone(),
            other => other.to_string(),
        };
        let origin = origin.as_deref().unwrap_or("default");
        let ignored = if *ignored { " (ignored)" } else { "" };
        writeln!(values, "{path}\t{value}\t{origin}{ignored}")?;
    }
    values.flush()?;
    drop(values);
    writeln!(out, "\n{HEADING}The jail, as jail.conf(5) would have it:{HEADING:#}")?;
    for param in params {
        writeln!(out, "  {param};")?;
    }
    Ok(())
}

fn json(rows: &[Row], params: &Params, mut out: impl Write) -> io::Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|Row { path, value, origin, ignored }| {
            json!({ "path": path, "value": value, "origin": origin, "ignored": ignored })
        })
        .collect();
    let params: Map<_, _> = params
        .iter()
        .map(|param| {
            let value = match &param.value {
                ParamValue::Flag(on) => json!(on),
                ParamValue::Jailsys(mode) => json!(mode.to_string()),
                ParamValue::Int(number) => json!(number),
                ParamValue::String(text) => json!(text),
                ParamValue::Ip4(addresses) => json!(addresses),
                ParamValue::Ip6(addresses) => json!(addresses),
            };
            (param.name.clone(), value)
        })
        .collect();
    let document = json!({ "values": rows, "jailParameters": params });
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)
}
