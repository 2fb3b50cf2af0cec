//! `runj list`

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::Style;
use anyhow::{Context as _, Error};
use runj_runtime::{Listed, Runtime, Status};
use serde::Serialize;
use tabwriter::TabWriter;

use crate::flags::{List, ListFormat};
use crate::printable;
use crate::style::{self, DOUBTFUL, GOOD};

pub(crate) fn run(runtime: &Runtime, list: &List) -> Result<ExitCode, Error> {
    let containers = runtime.list()?;
    match list.format {
        _ if list.quiet => ids(&containers, io::stdout().lock()),
        ListFormat::Table => table(&containers, style::stdout()),
        ListFormat::Json => json(&containers, io::stdout().lock()),
    }
    .context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn ids(containers: &[Listed], mut out: impl Write) -> io::Result<()> {
    containers.iter().try_for_each(|container| writeln!(out, "{}", container.id))
}

fn table(containers: &[Listed], out: impl Write) -> io::Result<()> {
    let layout = TabWriter::new(out).minwidth(12).padding(1);
    let mut out = style::table(layout, ["ID", "PID", "JID", "STATUS", "BUNDLE", "CREATED"])?;
    for container in containers {
        let Listed { id, pid, jid, status, bundle, created, .. } = container;
        let (pid, jid) = (pid.unwrap_or(0), jid.unwrap_or(0));
        let style = match status {
            Status::Running => GOOD,
            Status::Creating | Status::Created | Status::Paused => DOUBTFUL,
            Status::Stopped => Style::new(),
        };
        let created = humantime::format_rfc3339(*created);
        // Whatever a directory is called, a line is a line.
        let bundle = printable(&bundle.display().to_string());
        writeln!(out, "{id}\t{pid}\t{jid}\t{style}{status}{style:#}\t{bundle}\t{created}")?;
    }
    out.flush()
}

/// One container, by runc's names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    oci_version: &'a str,
    id: &'a str,
    pid: i32,
    jid: Option<i32>,
    status: String,
    bundle: String,
    rootfs: String,
    created: String,
}

fn json(containers: &[Listed], mut out: impl Write) -> io::Result<()> {
    let rows: Vec<_> = containers
        .iter()
        .map(|container| Row {
            oci_version: &container.oci_version,
            id: container.id.as_ref(),
            pid: container.pid.unwrap_or(0),
            jid: container.jid,
            status: container.status.to_string(),
            bundle: container.bundle.display().to_string(),
            rootfs: container.rootfs.display().to_string(),
            created: humantime::format_rfc3339(container.created).to_string(),
        })
        .collect();
    serde_json::to_writer(&mut out, &rows)?;
    writeln!(out)
}
