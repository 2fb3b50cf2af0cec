//! Programs of the host, started on the container's behalf.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

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

/// Kills the process group that the program, which has not been collected, leads.
pub(crate) fn kill_group(leader: i32) {
    // SAFETY: takes no pointer.
    unsafe { libc::killpg(leader, libc::SIGKILL) };
}
