//! FreeBSD jails as system calls.
//!
//! A jail is made of *parameters* ([`Params`], jail(8)), known by a [`Jid`] and a [`JailName`],
//! and inhabited by processes ([`ProcessId`]). This crate creates, finds, reads, updates, enters
//! and removes jails through `jail_set(2)`, `jail_get(2)`, `jail_attach(2)` and `jail_remove(2)`
//! and keeps what the kernel says when it refuses: errno and its own text. What a jail uses is
//! told ([`Usage`]) and limited by rctl(4) rules ([`Limits`]) and cpuset(2) ([`CpuSet`]).
//!
//! ```no_run
//! use runj_jail::{Jail, Jailsys, Params};
//!
//! # fn main() -> Result<(), runj_jail::Error> {
//! let jail = Jail::create(
//!     &Params::new()
//!         .string("name", "web")
//!         .string("path", "/jails/web")
//!         .jailsys("ip4", Jailsys::Inherit)
//!         .flag("persist", true),
//! )?;
//! println!("jid {}", jail.jid());
//! jail.remove()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Why not the `jail` crate
//!
//! `jail` 0.3.1 turns `allow.x = 0` into *allowed*, cannot read the jailsys parameters (`ip4`,
//! `host`, …), takes an unknown number for an existing jail and drops errno when the kernel adds
//! a text. A runtime cannot be built on any of these, and what is left of it is a loop around
//! `jail_get(2)`.
//!
//! # The Linux development host
//!
//! On Linux the four system calls are answered by an emulation made of namespaces (`sys/linux`),
//! so that everything above them runs unchanged. It is a place to develop and test, **not a
//! security boundary**.

mod cpus;
mod encode;
mod error;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod jail;
mod jid;
mod limits;
mod name;
mod param;
mod process;
mod process_info;
mod process_state;
mod resource;
mod rule;
mod signal;
#[allow(unsafe_code)]
mod sys;
mod usage;

pub use cpus::{BadCpuSet, CpuSet};
pub use error::Error;
pub use jail::Jail;
pub use jid::{BadJid, Jid};
pub use limits::Limits;
pub use name::{BadJailName, JailName};
pub use nix::errno::Errno;
pub use param::{Jailsys, Kind, Param, Params, Value};
pub use process::ProcessId;
pub use process_info::ProcessInfo;
pub use process_state::{ProcessState, RunState};
pub use resource::{BadResource, Resource};
pub use rule::{Action, BadRule, Per, Rule, SignalName};
pub use signal::{BadSignal, Signal};
#[cfg(target_os = "linux")]
pub use sys::host;
pub use sys::{Attachment, Forked};
pub use usage::Usage;

/// Its examples are tried as those of the documentation are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
