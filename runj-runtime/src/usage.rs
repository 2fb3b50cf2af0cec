//! What a container uses, and the processes in it.

use runj_faults::{Point, at};
use runj_jail::{ProcessInfo, Resource, Rule, Usage};
use runj_spec::ContainerId;

use crate::error::Error;
use crate::record::Record;
use crate::runtime::{Runtime, jail_of};
use crate::state;
use crate::status::Status;

/// What a container uses, and what it may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContainerUsage {
    /// What it uses.
    pub usage: Usage,
    /// The rules that hold for its jail, whoever has added them.
    pub rules: Vec<Rule>,
}

impl ContainerUsage {
    /// How much of a resource the container can have at most, if that is limited.
    #[must_use]
    pub fn limit(&self, resource: Resource) -> Option<u64> {
        self.rules.iter().filter_map(|rule| rule.most_of(resource)).min()
    }
}

impl Runtime {
    /// What a container that is created, runs or is paused uses.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] for a stopped container.
    pub fn usage(&self, id: &ContainerId) -> Result<ContainerUsage, Error> {
        let (record, status) = self.living(id)?;
        let gone = || Error::NotRunning { id: id.clone(), status };
        let jail = jail_of(&record)?.ok_or_else(gone)?;
        at(Point::ReadUsage)?;
        let rules = match jail.limits() {
            Ok(limits) => limits.rules()?,
            // A jail of such a name has no rules.
            Err(runj_jail::Error::Unlimitable(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(ContainerUsage { usage: jail.usage()?, rules })
    }

    /// The processes of a container that is created, runs or is paused. Its own one may not have
    /// entered it yet while `create` is at work, and is the first of them then.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] for a stopped container.
    pub fn processes(&self, id: &ContainerId) -> Result<Vec<ProcessInfo>, Error> {
        let (record, status) = self.living(id)?;
        let gone = || Error::NotRunning { id: id.clone(), status };
        at(Point::ReadProcesses)?;
        let mut processes = jail_of(&record)?.ok_or_else(gone)?.process_infos()?;
        if let Some(init) = record.init()
            && processes.iter().all(|process| process.id != init)
        {
            processes.splice(..0, ProcessInfo::of(init)?);
        }
        Ok(processes)
    }

    fn living(&self, id: &ContainerId) -> Result<(Record, Status), Error> {
        let (record, status) = state::read(&self.store.find(id)?)?;
        match status {
            Status::Created | Status::Running | Status::Paused => Ok((record, status)),
            status => Err(Error::NotRunning { id: id.clone(), status }),
        }
    }
}
