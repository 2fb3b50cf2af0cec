//! Linux, the development host: the jail kernel, emulated with namespaces and seccomp.
//!
//! What a jail *is* stands in files under `/run/runj-jails` ([`registry`]), under the rules of
//! FreeBSD's `kern_jail.c` ([`options`], [`request`], [`set`], [`get`]). What makes it *hold* is
//! one process per jail ([`holder`]), pid 1 of a pid namespace, that owns the other namespaces of
//! the jail as well; when it ends, all that is in the jail ends. A process enters
//! ([`attachment`]) by being born in that pid namespace, joining the other ones, changing its root
//! and giving up, by seccomp ([`filter`]), what a jail does not allow. What it may use is a matter of
//! cgroups ([`cgroup`]), where the host has them.
//!
//! It needs root and is not a security boundary; docs/development-host.md tells where it differs
//! from FreeBSD.

mod address_calls;
mod addresses;
mod apply;
mod attachment;
mod cgroup;
mod check;
mod cpus;
mod filter;
mod fork;
mod get;
mod holder;
pub mod host;
mod limits;
mod listener;
mod names;
mod namespaces;
mod naming;
mod notify;
mod options;
mod pidfd;
mod prison;
mod privilege;
mod process;
mod process_info;
mod process_state;
mod procfs;
mod registry;
mod remove;
mod request;
mod set;

pub(super) use attachment::Attachment;
pub(crate) use cpus::{cpus, set_cpus};
pub(crate) use get::jail_get;
pub(crate) use limits::{accounted, add_rule, remove_rule, rules};
pub(crate) use process::{process_signal, process_start, process_wait, processes};
pub(crate) use process_info::{process_info, process_infos};
pub(crate) use process_state::process_states;
pub(crate) use remove::jail_remove;
pub(crate) use set::jail_set;
