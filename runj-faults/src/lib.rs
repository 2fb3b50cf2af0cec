//! Fault points: the steps of `runj` and of its shim that touch the host, by name. A test has a
//! program killed, refused something or kept waiting at one of them.
//!
//! A point comes right before the step, so a program that is killed there has done all before it
//! and nothing after:
//!
//! ```
//! use runj_faults::{Fault, Point, at};
//!
//! fn append() -> Result<(), Fault> {
//!     at(Point::Ledger)?;
//!     // write(2)
//!     Ok(())
//! }
//! # append().unwrap();
//! ```
//!
//! Without the feature `points` a point is nothing: [`Fault`] has no values, and the names of the
//! points are in no program. With it (`cargo build --features fault-points` for the programs) the
//! environment says what happens:
//!
//! - `FAILPOINTS` is that of the [`fail`](https://docs.rs/fail) crate: points and their actions,
//!   such as `ledger=2*off->1*return(kill)`, which lets the second go by and kills at the third.
//!   `return` takes `kill`, `delay MILLISECONDS`, or the number of an error (`return(5)`).
//! - `RUNJ_FAULTS_TRACE` names a file, to which each point that is reached appends a line: its name
//!   and how often this process has reached it by now.
//!
//! What `fail` lacks, and why this is around it: it has no way to end a process, knows errors as
//! texts, and tells only of points that were given an action. And it takes locks and allocates, which
//! the process of a container must not do between fork(2) and execve(2); so what is to happen there
//! is decided before the fork, by [`Init`].

mod point;
#[cfg(feature = "points")]
mod with;
#[cfg(not(feature = "points"))]
mod without;

pub use point::{InitPoint, Point};
#[cfg(feature = "points")]
pub use with::{Fault, Init, at};
#[cfg(not(feature = "points"))]
pub use without::{Fault, Init, at};

use std::fmt;
use std::io;

use nix::errno::Errno;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.errno().fmt(f)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Errno {
    fn from(fault: Fault) -> Self {
        fault.errno()
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        fault.errno().into()
    }
}
