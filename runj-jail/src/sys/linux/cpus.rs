//! The processors of a jail, by its cgroup.

use nix::errno::Errno;
use nix::sched::{CpuSet as Mask, sched_getaffinity};
use nix::unistd::Pid;

use super::cgroup::{Cgroup, Controller};
use super::prison::Prison;
use super::registry::Registry;
use crate::cpus::CpuSet;
use crate::error::Error;
use crate::jid::Jid;

const CPUS: &str = "cpuset.cpus";

/// `cpuset_getaffinity(2)` for a jail.
pub(crate) fn cpus(jid: Jid) -> Result<CpuSet, Error> {
    let registry = Registry::open_for(jid.as_raw())?;
    let prison = living(&registry, jid, "cpuset_getaffinity(2)")?;
    let cgroup = Cgroup::find(&prison, Controller::Cpuset)?;
    let list = cgroup.map(|cgroup| cgroup.read(CPUS)).transpose()?;
    match list.as_deref().map(str::parse) {
        Some(Ok(cpus)) => Ok(cpus),
        // It is not restricted.
        None | Some(Err(_)) => own(),
    }
}

/// `cpuset_setaffinity(2)` for a jail.
pub(crate) fn set_cpus(jid: Jid, cpus: &CpuSet) -> Result<(), Error> {
    let registry = Registry::open_for(jid.as_raw())?;
    let prison = living(&registry, jid, "cpuset_setaffinity(2)")?;
    let unable =
        |reason| Error::NotEmulated { what: format!("the list of processors {cpus}"), reason };
    let cgroup = Cgroup::make(&prison, Controller::Cpuset).map_err(unable)?;
    cgroup.write(CPUS, cpus).map_err(Error::system("cpuset_setaffinity(2)"))
}

fn living(registry: &Registry, jid: Jid, call: &'static str) -> Result<Prison, Error> {
    let prison = registry.prisons().find(jid.as_raw()).filter(|prison| !prison.dying);
    prison.cloned().ok_or(Error::System { call, errno: Errno::ESRCH })
}

/// What this process may run on.
fn own() -> Result<CpuSet, Error> {
    let failed = Error::system("sched_getaffinity(2)");
    let mask = sched_getaffinity(Pid::from_raw(0)).map_err(failed)?;
    let numbers = (0..Mask::count()).filter(|cpu| mask.is_set(*cpu).unwrap_or(false));
    CpuSet::new(numbers.filter_map(|cpu| u32::try_from(cpu).ok()))
        .ok_or(Error::System { call: "sched_getaffinity(2)", errno: Errno::ERANGE })
}
