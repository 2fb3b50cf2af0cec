//! Programs of the host that are run at points of the container's life.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::memfd::{MFdFlags, memfd_create};
use oci_spec::runtime::State;
use runj_jail::ProcessId;
use runj_spec::{Hook, Hooks};

use crate::error::{Error, whole};
use crate::ledger::Deed;
use crate::store::Locked;
use crate::sys;

/// How much of what a failed hook wrote to its standard error is repeated.
const MOST_REPEATED: u64 = 512;

/// Refuses the kind of hook that runj cannot run.
pub(crate) fn check(hooks: &Hooks) -> Result<(), Error> {
    match hooks.start_container.first() {
        None => Ok(()),
        Some(hook) => Err(Error::Unusable {
            place: "config.json: hooks.startContainer[0]".into(),
            value: format!("{:?}", hook.path),
            reason: "runj does not run hooks inside the container yet".into(),
        }),
    }
}

/// Runs hooks of one kind in order, until one fails.
pub(crate) fn run_all(
    kind: &str,
    hooks: &[Hook],
    state: &State,
    container: &mut Locked,
) -> Result<(), Error> {
    for (index, hook) in hooks.iter().enumerate() {
        run(hook, state, Some(container)).map_err(|reason| Error::Hook {
            place: format!("config.json: hooks.{kind}[{index}]"),
            path: PathBuf::from(&hook.path),
            reason,
        })?;
    }
    Ok(())
}

/// Runs hooks of one kind in order, whichever fail: what they follow has happened.
///
/// With the container's ledger, if it still has one.
pub(crate) fn run_and_warn(
    kind: &str,
    hooks: &[Hook],
    state: &State,
    mut container: Option<&mut Locked>,
) {
    for (index, hook) in hooks.iter().enumerate() {
        if let Err(reason) = run(hook, state, container.as_deref_mut()) {
            tracing::warn!("config.json: hooks.{kind}[{index}]: {:?}: {reason}", hook.path);
        }
    }
}

/// Runs one hook: the state on its standard input, no environment but its own, no descriptor of
/// ours. An error is the reason in words.
fn run(hook: &Hook, state: &State, container: Option<&mut Locked>) -> Result<(), String> {
    let mut input = anonymous_file()?;
    serde_json::to_writer(&input, state).map_err(|error| error.to_string())?;
    input.flush().and_then(|()| input.rewind()).map_err(|error| error.to_string())?;
    let mut complaints = anonymous_file()?;
    let output = complaints.try_clone().map_err(|error| error.to_string())?;

    let mut command = Command::new(&hook.path);
    // As with execv(3), the first of the arguments is the name that the program sees.
    if let Some((name, arguments)) = hook.args.split_first() {
        command.arg0(name).args(arguments);
    }
    command.env_clear();
    command.envs(hook.env.iter().filter_map(|entry| entry.split_once('=')));
    command.stdin(Stdio::from(input)).stdout(Stdio::null()).stderr(Stdio::from(output));
    // A group of its own, so that what it starts can be ended with it.
    command.process_group(0);
    sys::keep_only_standard_streams(&mut command);
    let mut child = command.spawn().map_err(|error| error.to_string())?;

    // None when it has ended already.
    let process = i32::try_from(child.id()).ok().and_then(|pid| ProcessId::of(pid).ok().flatten());
    if let Some((process, container)) = process.zip(container) {
        // So that `delete --force` can end one that does not end by itself.
        let deed = Deed::Hook { pid: process.pid(), start: process.start() };
        if let Err(error) = container.record(&deed) {
            sys::kill_group(process.pid());
            let _ = child.wait();
            return Err(whole(&error));
        }
    }
    if let Some((process, seconds)) = process.zip(hook.timeout) {
        let limit = Duration::from_secs(seconds.get().into());
        if !process.wait(limit).map_err(|error| whole(&error))? {
            sys::kill_group(process.pid());
            let _ = child.wait();
            return Err(format!("it did not end within {seconds} seconds"));
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    let mut text = Vec::new();
    // What it wrote is a help, not the error itself.
    let _ =
        complaints.rewind().and_then(|()| complaints.take(MOST_REPEATED).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let text = text.trim();
    Err(if text.is_empty() { status.to_string() } else { format!("{status}: {text}") })
}

/// A file without a name, which unlike a pipe takes any amount without anybody reading.
fn anonymous_file() -> Result<File, String> {
    memfd_create(c"runj", MFdFlags::MFD_CLOEXEC)
        .map(File::from)
        .map_err(|errno| format!("memfd_create(2): {errno}"))
}
