//! `kill`: a signal for a container.

use runj_faults::{Point, at};
use runj_jail::Signal;
use runj_spec::ContainerId;

use crate::error::Error;
use crate::runtime::{Runtime, jail_of};
use crate::state;
use crate::status::Status;

impl Runtime {
    /// Sends a signal to the container's process, or with `all` to every process in its jail.
    ///
    /// No program inside the container is needed for it.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] when the container has no process for the signal.
    pub fn kill(&self, id: &ContainerId, signal: Signal, all: bool) -> Result<(), Error> {
        let directory = self.store.find(id)?;
        let (record, status) = state::read(&directory)?;
        if status == Status::Paused && signal == Signal::CONT {
            // It would run, and still be called paused.
            return Err(Error::WrongStatus {
                verb: "continue",
                id: id.clone(),
                status,
                expected: "running (runj resume lets it go on)",
            });
        }
        let mut reached = false;
        let mut inside = false;
        if all {
            // What the container's process left behind may be ended even when itself has.
            if let Some(jail) = jail_of(&record)? {
                inside = record.init().is_some_and(|init| {
                    jail.processes().is_ok_and(|processes| processes.contains(&init))
                });
                at(Point::SignalAll)?;
                reached = jail.signal_all(signal)? > 0;
            }
        }
        // Until it is created the container's process is not in its jail.
        if let Some(init) = record.init().filter(|_| !inside) {
            at(Point::Signal)?;
            reached |= init.signal(signal)?;
        }
        if reached { Ok(()) } else { Err(Error::NotRunning { id: id.clone(), status }) }
    }
}
