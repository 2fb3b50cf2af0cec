//! What the kernel does, one module per platform behind one interface.
//!
//! `unsafe` lives below this module and nowhere else in the crate.

mod attach;
#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as platform;
#[cfg(target_os = "linux")]
use linux as platform;

pub use attach::{Attachment, Forked};
#[cfg(target_os = "linux")]
pub use linux::host;
pub(crate) use platform::{
    accounted, add_rule, cpus, jail_get, jail_remove, jail_set, process_info, process_infos,
    process_signal, process_start, process_states, process_wait, processes, remove_rule, rules,
    set_cpus,
};

/// What `jail_set(2)` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetMode {
    /// Create a jail that is not there (`JAIL_CREATE`).
    Create,
    /// Change one that is (`JAIL_UPDATE`).
    Update,
}
