//! What differs between the platforms, one module each behind one interface.
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

pub(crate) use platform::{become_reaper, mount, unmount, usage};

/// What processes use together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Time on a processor, in nanoseconds, inside the kernel and outside.
    pub(crate) kernel: u64,
    pub(crate) user: u64,
    /// Memory that is resident, in bytes. What processes share counts once for each.
    pub(crate) resident: u64,
}
