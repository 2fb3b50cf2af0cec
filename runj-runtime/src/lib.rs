//! The lifecycle of an OCI container as a FreeBSD jail.
//!
//! A [`Runtime`] keeps what it knows of its containers in a directory, and does to a container
//! what the OCI runtime specification calls operations ("Runtime and Lifecycle"): [`create`],
//! [`start`], [`state`], [`kill`] and [`delete`], and beside them [`exec`] and [`list`].
//!
//! ```no_run
//! use runj_runtime::{CreateOptions, Runtime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::new("/var/run/runj");
//! let id = "web".parse()?;
//! runtime.create(&id, &CreateOptions::new("/bundles/web"))?;
//! runtime.start(&id)?;
//! println!("{:?}", runtime.state(&id)?.status());
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

mod beneath;
mod console;
mod create;
mod delete;
mod error;
mod exec;
mod hooks;
mod io;
mod kill;
mod ledger;
mod list;
mod mounts;
mod params;
mod pid_file;
mod process;
mod record;
mod runtime;
mod start;
mod state;
mod status;
mod store;
#[allow(unsafe_code)]
mod sys;
mod teardown;

pub use create::CreateOptions;
pub use error::{Error, ProcessError};
pub use exec::ExecOptions;
pub use io::Io;
pub use list::Listed;
pub use runtime::{Runtime, Started};
pub use status::Status;
pub use sys::copy_terminal_size;
