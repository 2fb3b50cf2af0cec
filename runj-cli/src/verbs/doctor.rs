//! `runj doctor`

mod engines;
mod finding;
mod programs;
#[allow(unsafe_code)]
mod sys;

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::Style;
use anyhow::{Context as _, Error};
use serde_json::json;

use self::finding::{Finding, Standing};
use crate::flags::Doctor;
use crate::style::{self, BAD, DOUBTFUL, GOOD};

pub(crate) fn run(doctor: &Doctor) -> Result<ExitCode, Error> {
    let mut findings = sys::findings();
    findings.extend(programs::findings());
    findings.extend(engines::findings());
    if doctor.json {
        json(&findings, io::stdout().lock())
    } else {
        report(&findings, style::stdout())
    }
    .context("standard output")?;
    Ok(if able(&findings) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether containers can run here.
fn able(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.standing != Standing::Blocks)
}

fn json(findings: &[Finding], mut out: impl Write) -> io::Result<()> {
    let document = json!({ "containersCanRun": able(findings), "findings": findings });
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)
}

fn report(findings: &[Finding], mut out: impl Write) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    for Finding { subject, standing, says, remedy } in findings {
        let (style, word) = shown(*standing);
        writeln!(out, "{style}{word:6}{style:#}  {subject:width$}  {says}")?;
        if let Some(remedy) = remedy {
            writeln!(out, "{:6}  {:width$}    {remedy}", "", "")?;
        }
    }
    let verdict =
        if able(findings) { "Containers can run here." } else { "No container can run here." };
    writeln!(out, "\n{verdict}")
}

fn shown(standing: Standing) -> (Style, &'static str) {
    match standing {
        Standing::Fine => (GOOD, "fine"),
        Standing::Lacks => (DOUBTFUL, "lacks"),
        Standing::Blocks => (BAD, "BLOCKS"),
    }
}
