//! What the kernel does to interfaces, one module per platform behind one interface.
//!
//! Error numbers are FreeBSD's on both: `ENXIO` for an interface or jail that is not there,
//! `EADDRNOTAVAIL` for an address that is not there, `EEXIST` for a name that is taken.
//!
//! `unsafe` lives below this module and nowhere else in the crate.

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as platform;
#[cfg(target_os = "linux")]
use linux as platform;

pub(crate) use platform::{add_alias, move_home, move_in, readiness, remove_alias};

/// How far the kernel is with letting an IPv6 address be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It can be used.
    Ready,
    /// The kernel still asks whether another machine has it.
    Tentative,
    /// Another machine has it.
    Duplicate,
}
