//! What the emulation needs from whoever runs it.

use std::io;

use nix::errno::Errno;
use nix::unistd::geteuid;

use crate::error::Error;

/// The capabilities in use, by their bits (capabilities(7), `linux/capability.h`).
const NEEDED: [(u32, &str); 4] =
    [(5, "CAP_KILL"), (18, "CAP_SYS_CHROOT"), (19, "CAP_SYS_PTRACE"), (21, "CAP_SYS_ADMIN")];

/// Refuses, and says what is missing, unless this process may do what the emulation does.
pub(super) fn require_root() -> Result<(), Error> {
    let denied = |what: &str| Error::Emulation {
        what: format!("jails are emulated on Linux, which needs root; missing: {what}"),
        source: io::Error::from_raw_os_error(libc::EPERM),
    };
    if !geteuid().is_root() {
        return Err(denied("user id 0"));
    }
    let held = effective().map_err(Error::system("capget(2)"))?;
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(bit, _)| held & (1 << bit) == 0).map(|(_, name)| *name).collect();
    if missing.is_empty() { Ok(()) } else { Err(denied(&missing.join(", "))) }
}

/// The first 32 of this thread's effective capabilities (capget(2)).
fn effective() -> Result<u32, Errno> {
    /// `_LINUX_CAPABILITY_VERSION_3` (`linux/capability.h`).
    const VERSION: u32 = 0x2008_0522;
    // struct __user_cap_header_struct: the version, and a pid, where 0 is this thread's.
    let mut header = [VERSION, 0];
    // Two of struct __user_cap_data_struct: effective, permitted, inheritable.
    let mut sets = [[0u32; 3]; 2];
    // SAFETY: the kernel reads the one and fills in the other, which are as large as it has them.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr())
    })?;
    Ok(sets[0][0])
}
