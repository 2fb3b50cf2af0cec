//! Processes, as /proc shows them.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::pidfd;
use super::procfs;
use super::registry::Registry;
use crate::error::Error;
use crate::jid::Jid;
use crate::process::ProcessId;
use crate::signal::Signal;

/// What `/proc/PID/stat` tells of a process (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Clock ticks from boot to its start.
    pub(super) start: u64,
    /// It has exited and nobody has collected it yet.
    pub(super) zombie: bool,
    /// It is on its way out.
    pub(super) exiting: bool,
}

impl Stat {
    /// What is told of the process of that pid; `None` when there is none.
    pub(super) fn of(pid: i32) -> Result<Option<Self>, Error> {
        match procfs::read(format!("/proc/{pid}/stat")) {
            Ok(line) => match Self::parse(&line) {
                Some(stat) => Ok(Some(stat)),
                None => Err(unreadable(pid, io::ErrorKind::InvalidData.into())),
            },
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(unreadable(pid, error)),
        }
    }

    fn parse(line: &[u8]) -> Option<Self> {
        /// `PF_EXITING` (`linux/sched.h`).
        const EXITING: u64 = 4;
        // The second field is the name in parentheses, which may itself contain any of these.
        let after_name = line.iter().rposition(|&b| b == b')')? + 1;
        let fields: Vec<&str> =
            str::from_utf8(line.get(after_name..)?).ok()?.split_ascii_whitespace().collect();
        // The third field of stat is the first one here.
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |n: usize| field(n)?.parse::<u64>().ok();
        // A process whose first thread has ended is shown as a zombie while the others run on.
        let zombie = matches!(field(3)?, "Z" | "X") && number(20)? <= 1;
        Some(Self { start: number(22)?, zombie, exiting: number(9)? & EXITING != 0 })
    }
}

/// The number of the pid namespace that a process is in; `None` when there is no such process,
/// or it is out of reach even for root, as the first one of some machines is; one in a jail never
/// is.
pub(super) fn pid_namespace(pid: i32) -> Result<Option<u64>, Error> {
    match fs::read_link(format!("/proc/{pid}/ns/pid")) {
        Ok(link) => {
            // pid:[4026531836]
            let number = link
                .to_str()
                .and_then(|link| link.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok());
            number.map(Some).ok_or_else(|| unreadable(pid, io::ErrorKind::InvalidData.into()))
        }
        Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::PermissionDenied => {
            Ok(None)
        }
        Err(error) => Err(unreadable(pid, error)),
    }
}

/// All pids that there are.
pub(super) fn all() -> Result<Vec<i32>, Error> {
    let failed = |source| Error::Emulation { what: "listing /proc".into(), source };
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").map_err(failed)? {
        if let Some(pid) = entry.map_err(failed)?.file_name().to_str().and_then(|n| n.parse().ok())
        {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// The processes that run in the pid namespaces of those numbers.
pub(super) fn in_namespaces(namespaces: &HashSet<u64>) -> Result<Vec<ProcessId>, Error> {
    let mut processes = Vec::new();
    for pid in all()? {
        let Some(stat) = Stat::of(pid)?.filter(|stat| !stat.zombie) else { continue };
        if pid_namespace(pid)?.is_some_and(|namespace| namespaces.contains(&namespace)) {
            processes.push(ProcessId::recorded(pid, stat.start));
        }
    }
    Ok(processes)
}

/// The processes of the jails, without zombies and without those that hold the jails.
pub(crate) fn processes(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessId>, Error> {
    let registry = match jids.first() {
        Some(only) if jids.len() == 1 => Registry::open_for(only.as_raw())?,
        _ => Registry::open()?,
    };
    let holders: Vec<_> = jids
        .iter()
        .filter_map(|jid| registry.prisons().find(jid.as_raw()))
        .filter_map(|prison| prison.holder)
        .collect();
    drop(registry);
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let mut processes = in_namespaces(&holders.iter().map(|holder| holder.namespace).collect())?;
    processes.retain(|process| holders.iter().all(|holder| holder.pid != process.pid()));
    Ok(processes)
}

/// When the process of that pid started; `None` when there is none or it is a zombie.
pub(crate) fn process_start(pid: i32) -> Result<Option<u64>, Error> {
    Ok(Stat::of(pid)?.filter(|stat| !stat.zombie).map(|stat| stat.start))
}

/// Sends a signal to the process if it still is that one; `false` when it is not.
pub(crate) fn process_signal(process: ProcessId, signal: Signal) -> Result<bool, Error> {
    let Some(fd) = handle(process)? else { return Ok(false) };
    match pidfd::signal(&fd, signal.as_raw()) {
        Ok(()) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(errno) => Err(Error::System { call: "pidfd_send_signal(2)", errno }),
    }
}

/// Waits for the process's end; `false` when it has not come after `timeout`.
pub(crate) fn process_wait(process: ProcessId, timeout: Duration) -> Result<bool, Error> {
    let deadline = Instant::now() + timeout;
    let Some(fd) = handle(process)? else { return Ok(true) };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, so that the last wait is not a busy one.
        let millis = left.as_millis() + u128::from(!left.is_zero());
        let timeout = PollTimeout::from(u16::try_from(millis).unwrap_or(u16::MAX));
        match poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(1) => return Ok(true),
            Ok(_) if left.is_zero() => return Ok(false),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::System { call: "poll(2)", errno }),
        }
    }
}

/// A pidfd of exactly that process; `None` when it no longer runs.
pub(super) fn handle(process: ProcessId) -> Result<Option<OwnedFd>, Error> {
    let fd = pidfd::open(process.pid()).map_err(Error::system("pidfd_open(2)"))?;
    // From here on the descriptor means one process; the start time tells which one it is.
    Ok(if process.is_alive()? { fd } else { None })
}

/// Whether the error means that the process has ended.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

fn unreadable(pid: i32, source: io::Error) -> Error {
    Error::Emulation { what: format!("reading /proc/{pid}"), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_fields_is_no_obstacle() {
        let line = b"7 (a) Z 1 (b) R 1 7 7 0 -1 4194308 0 0 0 0 1 2 3 4 20 0 1 0 12345 0 0\n";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat, Stat { start: 12345, zombie: false, exiting: true });
    }

    #[test]
    fn a_process_outlives_its_first_thread() {
        let line =
            |threads| format!("7 (a) Z 1 7 7 0 -1 0 0 0 0 0 1 2 3 4 20 0 {threads} 0 12345 0 0\n");
        assert!(Stat::parse(line(1).as_bytes()).unwrap().zombie);
        assert!(!Stat::parse(line(3).as_bytes()).unwrap().zombie);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for line in [&b""[..], b"7", b"7 (a", b"7 (a)", b"7 (a) R 1 7"] {
            assert_eq!(Stat::parse(line), None);
        }
    }
}
