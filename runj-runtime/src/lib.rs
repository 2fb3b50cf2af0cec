//! The lifecycle of an OCI container as a FreeBSD jail.
//!
//! A [`Runtime`] keeps what it knows of its containers in a directory, and does to a container
//! what the OCI runtime specification calls operations ("Runtime and Lifecycle"): [`create`],
//! [`start`], [`state`], [`kill`] and [`delete`], and beside them [`exec`], [`list`], [`pause`],
//! [`resume`], [`update`], [`usage`] and [`processes`].
//!
//! ```no_run
//! use runj_runtime::{CreateOptions, Runtime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::new("/var/run/runj");
//! let id = "web".parse()?;
//! runtime.create(&id, &CreateOptions::new("/bundles/web"))?;
//! runtime.start(&id)?;
//! println!("{}", runtime.state(&id)?.status);
//! runtime.delete(&id, true)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`create`]: Runtime::create
//! [`start`]: Runtime::start
//! [`state`]: Runtime::state
//! [`kill`]: Runtime::kill
//! [`delete`]: Runtime::delete
//! [`exec`]: Runtime::exec
//! [`list`]: Runtime::list
//! [`pause`]: Runtime::pause
//! [`resume`]: Runtime::resume
//! [`update`]: Runtime::update
//! [`usage`]: Runtime::usage
//! [`processes`]: Runtime::processes

mod beneath;
mod bounded;
mod console;
mod create;
mod delete;
mod error;
mod exec;
mod features;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod home;
mod hooks;
mod input;
mod io;
mod kill;
mod ledger;
mod limits;
mod list;
mod mounts;
mod params;
mod pause;
mod pid_file;
mod preview;
mod process;
mod record;
mod rfc3339;
mod runtime;
mod start;
mod state;
mod status;
mod store;
#[allow(unsafe_code)]
mod sys;
mod teardown;
mod update;
mod usage;

pub use create::CreateOptions;
pub use error::{Error, ProcessError};
pub use exec::ExecOptions;
pub use features::{Features, features};
pub use input::Input;
pub use io::Io;
pub use list::Listed;
pub use preview::{Preview, check};
pub use rfc3339::now;
pub use runtime::{Runtime, Started};
pub use state::State;
pub use status::Status;
pub use sys::copy_terminal_size;
pub use usage::ContainerUsage;

/// Its examples are tried as those of the documentation are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
