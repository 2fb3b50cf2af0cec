//! Programs that are run at points of the container's life: on the host all but one kind, which
//! the container's process runs.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::num::NonZeroU32;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::memfd::{MFdFlags, memfd_create};
use runj_faults::{Point, at};
use runj_jail::ProcessId;
use runj_spec::Hook;

use crate::error::{Error, ProcessError, whole};
use crate::ledger::Deed;
use crate::state::State;
use crate::store::Locked;
use crate::sys::{self, HookEnd, HookFailure, StartHook, StartHooks};

/// How much of what a failed hook wrote to its standard error is repeated.
const MOST_REPEATED: u64 = 512;

/// Runs hooks of one kind in order, until one fails. They start in that directory, if one is given.
pub(crate) fn run_all(
    kind: &str,
    hooks: &[Hook],
    directory: Option<&Path>,
    state: &State,
    container: &mut Locked,
) -> Result<(), Error> {
    for (index, hook) in hooks.iter().enumerate() {
        run(hook, directory, state, Some(container))
            .map_err(|reason| error(kind, index, hook, reason))?;
    }
    Ok(())
}

/// Makes the `startContainer` hooks ready for the container's process, with the state that they
/// are to get. Nothing if there are none.
pub(crate) fn prepare(hooks: &[Hook], state: State) -> Result<Option<StartHooks>, Error> {
    // No pid is negative, and no text in JSON has these quotation marks without a backslash.
    const PID: &str = r#""pid":-1"#;
    if hooks.is_empty() {
        return Ok(None);
    }
    let failed = |what: &str| {
        let what = format!("config.json: hooks.startContainer: {what}");
        move |reason: String| Error::io(what)(std::io::Error::other(reason))
    };
    let state = State { pid: Some(-1), ..state };
    let text = serde_json::to_string(&state).map_err(|error| failed("state")(error.to_string()))?;
    let place = text.find(PID).map(|start| start + PID.len() - "-1".len());
    let (before, after) = text.split_at(place.unwrap_or(text.len()));
    let after = after.trim_start_matches("-1");
    let prepared = hooks.iter().map(|hook| {
        let c_string = |text: &String| {
            CString::new(text.as_str()).map_err(|error| failed("NUL byte")(error.to_string()))
        };
        let c_strings = |texts: &[String]| texts.iter().map(c_string).collect::<Result<_, _>>();
        // As with execv(3), the first of the arguments is the name that the program sees.
        let args = match hook.args.is_empty() {
            true => vec![c_string(&hook.path)?],
            false => c_strings(&hook.args)?,
        };
        Ok(StartHook {
            path: c_string(&hook.path)?,
            args,
            env: c_strings(&hook.env)?,
            timeout: hook.timeout,
            input: anonymous_file().map_err(failed("input"))?.into(),
            complaints: anonymous_file().map_err(failed("output"))?.into(),
        })
    });
    let null = File::options().write(true).open("/dev/null").map_err(Error::io("/dev/null"))?;
    Ok(Some(StartHooks {
        hooks: prepared.collect::<Result<_, Error>>()?,
        state: [before, after].map(|text| text.as_bytes().to_vec()),
        null: null.into(),
    }))
}

/// Says which of the `startContainer` hooks failed, which wrote this to its standard error.
pub(crate) fn start_error(failure: HookFailure, text: &str, hooks: &[Hook]) -> Error {
    let index = usize::try_from(failure.index).unwrap_or(usize::MAX);
    let Some(hook) = hooks.get(index) else { return ProcessError::Died.into() };
    let with_text = |status: String| match text {
        "" => status,
        text => format!("{status}: {text}"),
    };
    let reason = match failure.end {
        HookEnd::NotExecuted(errno) => errno.desc().to_owned(),
        HookEnd::Exited(status) => with_text(format!("exit status: {status}")),
        HookEnd::Signaled(signal) => with_text(format!("signal: {signal}")),
        HookEnd::TimedOut => too_long(hook.timeout),
        HookEnd::System(errno) => format!("it could not be run: {errno}"),
    };
    error("startContainer", index, hook, reason)
}

fn error(kind: &str, index: usize, hook: &Hook, reason: String) -> Error {
    Error::Hook {
        place: format!("config.json: hooks.{kind}[{index}]"),
        path: PathBuf::from(&hook.path),
        reason,
    }
}

fn too_long(timeout: Option<NonZeroU32>) -> String {
    format!("it did not end within {} seconds", timeout.map_or(0, NonZeroU32::get))
}

/// Runs hooks of one kind in order, whichever fail: the container is gone.
pub(crate) fn run_and_warn(kind: &str, hooks: &[Hook], state: &State) {
    for (index, hook) in hooks.iter().enumerate() {
        if let Err(reason) = run(hook, None, state, None) {
            tracing::warn!("config.json: hooks.{kind}[{index}]: {:?}: {reason}", hook.path);
        }
    }
}

/// Runs one hook: the state on its standard input, no environment but its own, no descriptor of
/// ours. An error is the reason in words.
fn run(
    hook: &Hook,
    directory: Option<&Path>,
    state: &State,
    container: Option<&mut Locked>,
) -> Result<(), String> {
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
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    command.env_clear();
    command.envs(hook.env.iter().filter_map(|entry| entry.split_once('=')));
    command.stdin(Stdio::from(input)).stdout(Stdio::null()).stderr(Stdio::from(output));
    // A group of its own, so that what it starts can be ended with it.
    command.process_group(0);
    sys::keep_only_standard_streams(&mut command);
    at(Point::Hook).map_err(|fault| fault.to_string())?;
    let mut child = match container {
        Some(container) => sys::spawn_noted(command, |pid| note(pid, container))?,
        None => command.spawn().map_err(|error| error.to_string())?,
    };
    if let Err(reason) = wait_in_time(&child, hook.timeout) {
        sys::kill_group(child.id().cast_signed());
        let _ = child.wait();
        return Err(reason);
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

/// Waits for a hook's end if it has to come within a time.
fn wait_in_time(child: &Child, timeout: Option<NonZeroU32>) -> Result<(), String> {
    at(Point::HookWait).map_err(|fault| fault.to_string())?;
    let Some(seconds) = timeout else { return Ok(()) };
    let process = ProcessId::of(child.id().cast_signed()).map_err(|error| whole(&error))?;
    // None when it has ended already.
    let limit = Duration::from_secs(seconds.get().into());
    let ended = process.map_or(Ok(true), |process| process.wait(limit));
    match ended.map_err(|error| whole(&error))? {
        true => Ok(()),
        false => Err(too_long(timeout)),
    }
}

/// Notes the process of a hook, so that `delete --force` can end one that does not end by itself.
fn note(pid: i32, container: &mut Locked) -> Result<(), String> {
    let process = ProcessId::of(pid).map_err(|error| whole(&error))?;
    let process = process.ok_or("it was killed before it began")?;
    let deed = Deed::Hook { pid, start: process.start() };
    container.record(&deed).map_err(|error| whole(&error))
}

/// A file without a name, which unlike a pipe takes any amount without anybody reading.
fn anonymous_file() -> Result<File, String> {
    memfd_create(c"runj", MFdFlags::MFD_CLOEXEC)
        .map(File::from)
        .map_err(|errno| format!("memfd_create(2): {errno}"))
}
