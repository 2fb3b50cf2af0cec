//! `runj exec`

use std::process::ExitCode;

use anyhow::{Context as _, Error, bail};
use runj_runtime::{ExecOptions, Runtime};
use runj_spec::Process;

use crate::flags::Exec;
use crate::foreground::{Foreground, notice_children};

pub(crate) fn run(runtime: &Runtime, exec: &Exec) -> Result<ExitCode, Error> {
    notice_children()?;
    let (process, place) = match &exec.process {
        Some(path) => {
            let mut process = Process::load(path).context("--process")?;
            process.terminal |= exec.tty;
            (process, path.display().to_string())
        }
        None => (from_flags(runtime.process(&exec.id)?, exec)?, "exec".to_owned()),
    };
    let foreground = if exec.detach { None } else { Some(Foreground::prepare()?) };
    let options = ExecOptions::new(process, place).io(exec.io.given(foreground.is_some()));
    let started = runtime.exec(&exec.id, &options)?;
    match foreground {
        Some(foreground) => foreground.wait(started),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// The container's own process, changed as the flags say.
fn from_flags(mut process: Process, exec: &Exec) -> Result<Process, Error> {
    process.args.clone_from(&exec.command);
    process.terminal = exec.tty;
    process.console_size = None;
    if let Some(cwd) = &exec.cwd {
        process.cwd.clone_from(cwd);
    }
    for entry in &exec.env {
        let Some((name, _)) = entry.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            bail!("--env: {entry:?} is not allowed: expected NAME=VALUE");
        };
        // The later of two entries of one name is the one that counts.
        process.env.retain(|old| old.split_once('=').is_none_or(|(old, _)| old != name));
        process.env.push(entry.clone());
    }
    if let Some(user) = &exec.user {
        let (uid, gid) = user.split_once(':').map_or((user.as_str(), None), |(u, g)| (u, Some(g)));
        let number = |text: &str| {
            text.parse::<u32>().ok().with_context(|| {
                format!("--user: {user:?} is not allowed: expected UID or UID:GID, in numbers")
            })
        };
        process.user.uid = number(uid)?;
        process.user.gid = gid.map_or(Ok(0), number)?;
        process.user.additional_gids.clear();
    }
    // Checked by the same rules as a file's.
    let text = serde_json::to_vec(&process)?;
    Ok(Process::parse(&text, "exec")?)
}
