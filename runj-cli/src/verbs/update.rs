//! `runj update`

use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use runj_runtime::Runtime;
use runj_spec::LinuxResources;
use serde_json::{Value, json};

use crate::flags::Update;

pub(crate) fn run(runtime: &Runtime, update: &Update) -> Result<ExitCode, Error> {
    let (resources, place) = match &update.resources {
        Some(path) if path == Path::new("-") => (from_standard_input()?, "resources"),
        Some(path) => (LinuxResources::load(path).context("--resources")?, "resources"),
        None => (from_flags(update)?, "update"),
    };
    runtime.update(&update.id, resources, place)?;
    Ok(ExitCode::SUCCESS)
}

fn from_standard_input() -> Result<LinuxResources, Error> {
    let mut text = Vec::new();
    // One byte more than it may be is as good as all of them.
    let limited = io::stdin().lock().take(LinuxResources::LIMIT + 1).read_to_end(&mut text);
    let length = limited.context("standard input")?;
    anyhow::ensure!(
        u64::try_from(length)? <= LinuxResources::LIMIT,
        "--resources: standard input has more than {} bytes",
        LinuxResources::LIMIT
    );
    LinuxResources::parse(&text, "standard input").context("--resources")
}

/// What the flags say, in the form that a file would have, so that it is checked by the same rules.
fn from_flags(update: &Update) -> Result<LinuxResources, Error> {
    let mut resources = json!({});
    let given = [
        ("memory", "limit", update.memory.map(Value::from)),
        ("memory", "swap", update.memory_swap.map(Value::from)),
        ("cpu", "quota", update.cpu_quota.map(Value::from)),
        ("cpu", "period", update.cpu_period.map(Value::from)),
        ("cpu", "cpus", update.cpuset_cpus.clone().map(Value::from)),
        ("pids", "limit", update.pids_limit.map(Value::from)),
    ];
    for (object, property, value) in given {
        if let Some(value) = value {
            resources[object][property] = value;
        }
    }
    Ok(LinuxResources::parse(resources.to_string().as_bytes(), "update")?)
}
