//! Programs of the host, started on the container's behalf.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

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

/// Kills the process group that the program leads.
pub(crate) fn kill_group(child: &Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: takes no pointer. The leader was not waited for, so the group's id is its own.
        unsafe { libc::killpg(group, libc::SIGKILL) };
    }
}
