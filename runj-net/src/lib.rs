//! The network of a jail.
//!
//! Three steps, each of which can be undone:
//!
//! 1. [`plan`] turns the configuration into a [`Plan`]: jail parameters, and interface work. It asks
//!    nobody, and refuses what the kernel would refuse or silently bend ([`Refused`]).
//! 2. [`Plan::prepare`] does what the host needs before the jail exists: aliases on the interface
//!    that carries the jail's addresses (jail(8), `interface`).
//! 3. [`Plan::furnish`] does what needs the jail: it moves interfaces into its network stack
//!    (jail(8), `vnet.interface`).
//!
//! Each thing done is a [`Deed`], told to a [`Journal`] before it is done, so that whoever finds the
//! journal can [undo](Deed::undo) it, even if the process that did it died halfway.
//!
//! When the kernel refuses the parameters all the same, [`Plan::explain`] says which part of the
//! configuration it means.
//!
//! ```no_run
//! use runj_jail::Jail;
//! use runj_net::Deed;
//!
//! # fn up(configuration: &runj_spec::Jail) -> Result<(), Box<dyn std::error::Error>> {
//! let plan = runj_net::plan(configuration)?;
//! let mut done: Vec<Deed> = Vec::new();
//!
//! plan.prepare(&mut done)?;
//! let mut params = runj_jail::Params::new().string("path", "/jails/web").flag("persist", true);
//! params.extend(plan.params().clone());
//! let jail = Jail::create(&params)?;
//! plan.furnish(jail, &mut done)?;
//!
//! for deed in done.iter().rev() {
//!     deed.undo(Some(jail))?;
//! }
//! jail.remove()?;
//! # Ok(())
//! # }
//! ```

mod conflict;
mod deed;
mod error;
mod explain;
mod host;
mod plan;
#[allow(unsafe_code)]
mod sys;
mod work;

pub use conflict::{Conflict, Refused};
pub use deed::{Deed, Journal};
pub use error::Error;
pub use explain::Explanation;
pub use plan::{Plan, plan};

/// Its examples are tried as those of the documentation are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
