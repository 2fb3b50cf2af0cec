//! Whether processes run, as /proc shows it.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use super::process::{is_gone, processes};
use crate::error::Error;
use crate::jid::Jid;
use crate::process::ProcessId;
use crate::process_state::{ProcessState, RunState};

/// The processes of the jails, without zombies, and whether they run.
pub(crate) fn process_states(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessState>, Error> {
    let states = processes(jids)?.into_iter().map(|id| match read(id) {
        Ok(state) => Ok(state),
        // Those that have ended meanwhile are none.
        Err(error) if is_gone(&error) => Ok(None),
        Err(source) => {
            Err(Error::Emulation { what: format!("reading /proc/{}", id.pid()), source })
        }
    });
    states.filter_map(Result::transpose).collect()
}

/// Reads what each thread does: the process's own line is about the first one, which may have ended.
fn read(id: ProcessId) -> io::Result<Option<ProcessState>> {
    let directory = format!("/proc/{}", id.pid());
    let name = fs::read(format!("{directory}/comm"))?;
    let mut runs = Vec::new();
    for thread in fs::read_dir(format!("{directory}/task"))? {
        match fs::read(thread?.path().join("stat")) {
            Ok(line) => runs.extend(run_state(&line)),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let least = [RunState::Runnable, RunState::Blocked, RunState::Stopped];
    let run = least.into_iter().find(|state| runs.contains(state));
    let name = String::from_utf8_lossy(&name).trim_end().to_owned();
    Ok(run.map(|run| ProcessState { id, name, run }))
}

/// Reads a proc_pid_stat(5); `None` for a thread that has ended.
fn run_state(line: &[u8]) -> Option<RunState> {
    // The name before it, in parentheses, may contain any letter.
    let after_name = line.iter().rposition(|&byte| byte == b')')? + 1;
    match line.get(after_name..)?.trim_ascii_start().first()? {
        b'T' | b't' => Some(RunState::Stopped),
        b'D' => Some(RunState::Blocked),
        b'Z' | b'X' => None,
        _ => Some(RunState::Runnable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_hide_what_a_thread_does() {
        assert_eq!(run_state(b"7 (a) T 1) R 1 7"), Some(RunState::Runnable));
        assert_eq!(run_state(b"7 (R) T 1 7"), Some(RunState::Stopped));
        assert_eq!(run_state(b"7 (R) D 1 7"), Some(RunState::Blocked));
        assert_eq!(run_state(b"7 (R) Z 1 7"), None);
    }
}
