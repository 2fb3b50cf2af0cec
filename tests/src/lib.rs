//! What the tests of `runj` have in common: a [`Sandbox`] with a state directory of its own,
//! [`Bundle`]s whose root borrows the host's programs, [`Container`]s, the host as it is
//! ([`HostState`]), and the far end of a container's [`Terminal`].
//!
//! The tests know `runj` as a user does: by its command line, its output, and what is to be seen
//! on the host. Only where a user would call jls(8) or kill(1) do they use [`runj_jail`].

// What goes wrong here is a test that fails, and is said by a panic.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bundle;
mod container;
pub mod containerd;
pub mod coverage;
pub mod engines;
mod executable;
mod faults;
mod harness;
mod host_state;
mod invocation;
mod limits;
mod mirror;
mod monitor;
mod programs;
pub mod reference;
mod sandbox;
#[allow(unsafe_code)]
mod sys;
mod terminal;
mod tmpfs;
mod wait;

/// The page whose examples have to compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub mod embedding {}

pub use bundle::Bundle;
pub use container::Container;
pub use executable::{copy_program, write_script};
pub use faults::{Step, read_trace};
pub use harness::run_as_root;
pub use host_state::HostState;
pub use invocation::{Invocation, Outcome, Running};
pub use limits::enforces_limits;
pub use mirror::{Mirror, Request, Served};
pub use monitor::{Monitored, monitor};
pub use programs::{Programs, build, runj_with_faults};
pub use sandbox::{MARK, Sandbox};
pub use sys::{
    FewProcesses, MemoryUse, descriptors, exchange, is_stopped, marked_processes, memory,
    memory_use,
};
pub use terminal::{ConsoleSocket, Terminal};
pub use tmpfs::Tmpfs;
pub use wait::{DEADLINE, OnDrop, eventually};
