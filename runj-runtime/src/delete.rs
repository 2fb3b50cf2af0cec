//! `delete`: nothing is left of a container.

use runj_faults::{Point, at};
use runj_jail::Signal;
use runj_spec::ContainerId;

use crate::error::Error;
use crate::hooks;
use crate::record::Record;
use crate::runtime::{Runtime, configuration};
use crate::state;
use crate::status::Status;
use crate::store::Locked;
use crate::teardown;

impl Runtime {
    /// Deletes a container that does not run, or with `force` any: its processes, its jail, its
    /// mounts, its network and all that is known of it.
    ///
    /// # Errors
    ///
    /// [`Error::Alive`] for one that runs, and [`Error::Leftovers`] when something cannot be
    /// undone; what is known of the container is then kept, and `delete` may be repeated.
    pub fn delete(&self, id: &ContainerId, force: bool) -> Result<(), Error> {
        let directory = self.store.find(id)?;
        if force {
            // Whoever works on the container, perhaps waiting for its process, is to come to an
            // end and let go of it.
            if let Some(init) = directory.read()?.and_then(|record| record.init()) {
                at(Point::KillFirst)?;
                init.signal(Signal::KILL)?;
            }
            teardown::end_hooks(&directory.deeds()?)?;
        }
        let container = match directory.lock() {
            Err(Error::NoSuchContainer(id)) => {
                directory.remove_empty()?;
                return Err(Error::NoSuchContainer(id));
            }
            container => container?,
        };
        let Some(record) = directory.read()? else {
            // Its creator was killed before it did anything.
            return container.remove();
        };
        let status = state::status(container.directory(), &record, false)?;
        if matches!(status, Status::Running | Status::Paused) && !force {
            return Err(Error::Alive { id: id.clone(), status });
        }
        destroy(container, &record)
    }
}

/// Undoes the container, whatever it is doing, forgets it and runs its `poststop` hooks.
pub(crate) fn destroy(container: Locked, record: &Record) -> Result<(), Error> {
    teardown::undo(&container, Some(record))?;

    // A bundle that cannot be read any more has no hooks that could be run.
    let configuration = record.later_hooks.then(|| configuration(container.directory()).ok());
    let poststop = configuration.flatten().map(|configuration| configuration.hooks.poststop);
    container.remove()?;
    if let Some(poststop) = poststop.filter(|hooks| !hooks.is_empty()) {
        hooks::run_and_warn("poststop", &poststop, &state::build(record, Status::Stopped));
    }
    Ok(())
}
