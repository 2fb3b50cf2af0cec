//! `runj events`

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Error};
use runj_jail::{ProcessId, Resource};
use runj_runtime::{ContainerUsage, Runtime};
use serde::Serialize;

use crate::flags::Events;

pub(crate) fn run(runtime: &Runtime, events: &Events) -> Result<ExitCode, Error> {
    let id = &events.id;
    let mut is_first = true;
    loop {
        match runtime.usage(id) {
            Ok(usage) => print(id.as_ref(), &usage).context("standard output")?,
            // It has ended since.
            Err(_) if !is_first && runtime.state(id).map_or(true, |state| state.pid.is_none()) => {
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => return Err(error.into()),
        }
        is_first = false;
        if events.stats || ended(runtime, events)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Waits for the container's end, but no longer than the interval; whether it has come.
fn ended(runtime: &Runtime, events: &Events) -> Result<bool, Error> {
    let Ok(state) = runtime.state(&events.id) else { return Ok(true) };
    match state.pid.map(ProcessId::of).transpose()?.flatten() {
        Some(process) => Ok(process.wait(events.interval)?),
        None => Ok(true),
    }
}

/// One line, in runc's shape (`types.Event`). What FreeBSD does not tell is left out.
#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    id: &'a str,
    data: Stats,
}

#[derive(Serialize)]
struct Stats {
    cpu: Cpu,
    memory: Memory,
    pids: Pids,
    /// What the kernel accounts for the jail, by rctl(8)'s names. Not in runc's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    racct: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Cpu {
    usage: CpuUsage,
}

/// In nanoseconds.
#[derive(Serialize)]
struct CpuUsage {
    total: u64,
    kernel: u64,
    user: u64,
}

#[derive(Serialize)]
struct Memory {
    usage: MemoryEntry,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<MemoryEntry>,
}

/// In bytes.
#[derive(Serialize)]
struct MemoryEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    usage: u64,
}

#[derive(Serialize)]
struct Pids {
    current: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
}

fn print(id: &str, container: &ContainerUsage) -> io::Result<()> {
    let usage = &container.usage;
    let swap = usage.accounted.get(&Resource::SwapUse);
    let data = Stats {
        cpu: Cpu {
            usage: CpuUsage {
                total: nanoseconds(usage.cpu_time),
                kernel: nanoseconds(usage.system_time),
                user: nanoseconds(usage.user_time),
            },
        },
        memory: Memory {
            usage: MemoryEntry { limit: container.limit(Resource::MemoryUse), usage: usage.memory },
            swap: swap.map(|usage| MemoryEntry {
                limit: container.limit(Resource::SwapUse),
                usage: *usage,
            }),
        },
        pids: Pids { current: usage.processes, limit: container.limit(Resource::MaxProc) },
        racct: usage.accounted.iter().map(|(resource, used)| (resource.name(), *used)).collect(),
    };
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &Event { r#type: "stats", id, data })?;
    writeln!(stdout)?;
    stdout.flush()
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
