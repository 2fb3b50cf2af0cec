//! `update`: other limits for a container.

use runj_spec::{Bundle, ContainerId, LinuxResources};

use crate::create::keep_configuration;
use crate::error::{Error, whole};
use crate::limits::{self, Limits};
use crate::runtime::{Runtime, jail_of};
use crate::state;
use crate::status::Status;

impl Runtime {
    /// Changes what a container that is created, runs or is paused may use. What `resources` does
    /// not give stays as it is; -1 lifts a limit. `place` is where it was read, for messages.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] for a stopped container, and [`Error::Limit`] when a limit cannot be
    /// had, or [`Error::Unusable`]; the limits are then as before.
    pub fn update(
        &self,
        id: &ContainerId,
        resources: LinuxResources,
        place: &str,
    ) -> Result<(), Error> {
        let mut container = self.store.find(id)?.lock()?;
        let directory = container.directory().clone();
        let record = directory.read()?.ok_or_else(|| Error::NoSuchContainer(id.clone()))?;
        let status = state::status(&directory, &record, false)?;
        let not_running = || Error::NotRunning { id: id.clone(), status };
        if !matches!(status, Status::Created | Status::Running | Status::Paused) {
            return Err(not_running());
        }
        let jail = jail_of(&record)?.ok_or_else(not_running)?;

        let kept = Bundle::load(directory.path())?;
        let before = Limits::of(&kept.container()?)?;
        let mut bundle = kept.clone();
        let prefix = format!("{place}: ");
        limits::warn_of_others(&resources, &prefix);
        let linux = bundle.config.linux.get_or_insert_default();
        let merged = linux.resources.take().unwrap_or_default().updated(resources);
        linux.resources = Some(merged);
        let after = Limits::plan(&bundle.container()?, &prefix)?;
        // First, since the limits are the easier ones to have again.
        keep_configuration(&bundle, &container)?;
        if let Err(error) = after.replace(jail, &mut container) {
            let restored = keep_configuration(&kept, &container);
            if let Err(error) = restored.and(before.replace(jail, &mut container)) {
                tracing::warn!("restoring the limits of {id}: {}", whole(&error));
            }
            return Err(error);
        }
        Ok(())
    }
}
