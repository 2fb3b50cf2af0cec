//! `runj ps`

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Error, bail};
use runj_jail::ProcessInfo;
use runj_runtime::Runtime;
use tabwriter::{Alignment, TabWriter};

use crate::flags::{ListFormat, Ps};
use crate::{printable, style};

pub(crate) fn run(runtime: &Runtime, ps: &Ps) -> Result<ExitCode, Error> {
    // runc hands them to ps(1) and picks lines from what it prints.
    if let Some(option) = ps.options.iter().find(|option| *option != "-ef") {
        bail!("{option:?} is not allowed: runj does not call ps(1), and prints what ps -ef does");
    }
    let processes = runtime.processes(&ps.id)?;
    match ps.format {
        ListFormat::Table => table(&processes, style::stdout()),
        ListFormat::Json => json(&processes, io::stdout().lock()),
    }
    .context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn table(processes: &[ProcessInfo], out: impl Write) -> io::Result<()> {
    let layout = TabWriter::new(out).minwidth(6).padding(1).alignment(Alignment::Right);
    let headings = ["UID", "PID", "PPID", "THR", "RSS", "TIME", " CMD"];
    let mut out = style::table(layout, headings)?;
    for process in processes {
        let (uid, pid, parent) = (process.uid, process.id.pid(), process.parent);
        let (threads, kilobytes) = (process.threads, process.memory / 1024);
        let time = clock(process.user_time + process.system_time);
        // Whatever programs call themselves, a line is a line.
        let command = printable(&process.command);
        writeln!(out, "{uid}\t{pid}\t{parent}\t{threads}\t{kilobytes}\t{time}\t {command}")?;
    }
    out.flush()
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn json(processes: &[ProcessInfo], mut out: impl Write) -> io::Result<()> {
    let pids: Vec<i32> = processes.iter().map(|process| process.id.pid()).collect();
    serde_json::to_writer(&mut out, &pids)?;
    writeln!(out)
}
