//! Programs of the host, started on the container's behalf.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::{panic, thread};

use nix::errno::Errno;
use runj_faults::{Point, at};

use super::entry::check;
use super::platform;

/// Lets the program have its standard streams and no other descriptor, whatever of the caller's
/// is not close-on-exec.
pub(crate) fn keep_only_standard_streams(command: &mut Command) {
    // SAFETY: marking descriptors is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            if platform::close_on_exec_from(3) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
}

/// Starts the program in a process of which `note` was told the pid before: should we be killed at
/// any time, there is no process that nobody knows of. An error is the reason in words, that of
/// `note` among them; then the program was not executed.
pub(crate) fn spawn_noted(
    mut command: Command,
    note: impl FnOnce(i32) -> Result<(), String>,
) -> Result<Child, String> {
    let words = |error: io::Error| error.to_string();
    let (mut ours, theirs) = UnixStream::pair().map_err(words)?;
    let not_its = ours.as_raw_fd();
    // SAFETY: `announce` only makes system calls.
    unsafe { command.pre_exec(move || announce(theirs.as_raw_fd(), not_its)) };
    thread::scope(|scope| {
        // Another thread, since this does not return before the program is executed. With the command
        // goes our copy of their end, so that we read to the end of file when there is no process.
        let spawning = thread::Builder::new().spawn_scoped(scope, move || {
            let mut command = command;
            command.spawn()
        });
        let spawning = spawning.map_err(words)?;
        let mut pid = [0; 4];
        let noted = match ours.read_exact(&mut pid) {
            Ok(()) => note(i32::from_ne_bytes(pid)),
            // Whoever spawns says why.
            Err(_) => Ok(()),
        };
        if noted.is_ok() && at(Point::HookGo).is_ok() {
            // It may have been killed.
            let _ = ours.write_all(&[1]);
        }
        drop(ours);
        let spawned = spawning.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        noted.and(spawned.map_err(words))
    })
}

/// Tells our pid at `gate`, and waits until it is noted. `not_ours` is the other end of it, which
/// would keep us from seeing that it is closed.
fn announce(gate: RawFd, not_ours: RawFd) -> io::Result<()> {
    // SAFETY: takes no pointer; it is a copy that nobody in this process uses.
    check(unsafe { libc::close(not_ours) })?;
    let pid = std::process::id().to_ne_bytes();
    // SAFETY: the pointer and the length are those of a live array.
    let sent = unsafe { libc::send(gate, pid.as_ptr().cast(), pid.len(), libc::MSG_NOSIGNAL) };
    Errno::result(sent)?;
    let mut byte = 0u8;
    loop {
        // SAFETY: the pointer is to one byte.
        match Errno::result(unsafe { libc::read(gate, (&raw mut byte).cast(), 1) }) {
            Ok(0) => return Err(Errno::EPIPE.into()),
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Kills the process group that the program, which has not been collected, leads.
pub(crate) fn kill_group(leader: i32) {
    // SAFETY: takes no pointer.
    unsafe { libc::killpg(leader, libc::SIGKILL) };
}
