//! What the emulation needs from whoever runs it.

use std::io;

use nix::unistd::geteuid;

use crate::error::Error;

/// The capabilities in use, by their bits in `CapEff` (capabilities(7), `linux/capability.h`).
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
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|source| Error::Emulation { what: "reading /proc/self/status".into(), source })?;
    let held = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(bit, _)| held & (1 << bit) == 0).map(|(_, name)| *name).collect();
    if missing.is_empty() { Ok(()) } else { Err(denied(&missing.join(", "))) }
}
