//! Rules, as far as cgroups can do what they ask for.
//!
//! | rule | version 1 | version 2 |
//! |---|---|---|
//! | `memoryuse:deny` | `memory.limit_in_bytes` | `memory.max` |
//! | `swapuse:deny` | `memory.memsw.limit_in_bytes` | `memory.max` and `memory.swap.max` |
//! | `maxproc:deny` | `pids.max` | `pids.max` |
//! | `pcpu:deny` | `cpu.cfs_quota_us` | `cpu.max` |
//!
//! Beyond its memory a jail's processes are killed, where FreeBSD swaps them out (`memoryuse`) or
//! refuses the memory (`swapuse`); `maxproc` counts threads.

use std::collections::BTreeMap;

use nix::errno::Errno;

use super::cgroup::{Cgroup, Controller, Version};
use super::prison::Prison;
use super::registry::Registry;
use crate::error::Error;
use crate::resource::Resource;
use crate::rule::{Action, Per, Rule};

/// Adds a rule to a jail that lives.
pub(crate) fn add_rule(jail: &str, rule: &Rule) -> Result<(), Error> {
    let controller = controller(rule)?;
    change(jail, controller, |rules| {
        rules.retain(|old| !old.is_same_but_for_amount(rule));
        rules.push(rule.clone());
        true
    })
    .and_then(|found| {
        // FreeBSD would keep it for a jail to come.
        let none = || not_emulated(rule, "there is no jail of that name");
        if found { Ok(()) } else { Err(none()) }
    })
}

/// Removes a rule; `false` when there is none, or no such jail any more.
pub(crate) fn remove_rule(jail: &str, rule: &Rule) -> Result<bool, Error> {
    let Ok(controller) = controller(rule) else { return Ok(false) };
    change(jail, controller, |rules| {
        let before = rules.len();
        rules.retain(|old| old != rule);
        rules.len() != before
    })
}

/// The rules of a jail.
pub(crate) fn rules(jail: &str) -> Result<Vec<Rule>, Error> {
    let registry = Registry::open()?;
    Ok(living(&registry, jail).map(|prison| of(&prison)).unwrap_or_default())
}

/// Nothing: what cgroups count is counted by processes as well.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn accounted(_jail: &str) -> Result<BTreeMap<Resource, u64>, Error> {
    Ok(BTreeMap::new())
}

/// Changes the rules of a jail, of which those for one controller take effect; `false` when there
/// is no such jail or nothing to change.
fn change(
    jail: &str,
    controller: Controller,
    act: impl FnOnce(&mut Vec<Rule>) -> bool,
) -> Result<bool, Error> {
    let mut registry = Registry::open()?;
    let Some(prison) = living(&registry, jail) else { return Ok(false) };
    let before = of(&prison);
    let mut after = before.clone();
    if !act(&mut after) {
        return Ok(false);
    }
    let unable = |reason: String| {
        let what = after.last().map_or_else(|| "a limit".to_owned(), Rule::to_string);
        Error::NotEmulated { what, reason }
    };
    let cgroup = Cgroup::make(&prison, controller).map_err(unable)?;
    if let Err(errno) = apply(&cgroup, controller, &after) {
        // What held before still does, as far as the kernel lets it.
        let _ = apply(&cgroup, controller, &before);
        return Err(Error::System { call: "rctl_add_rule(2)", errno });
    }
    registry.save(Prison { rules: after.iter().map(Rule::to_string).collect(), ..prison })?;
    Ok(true)
}

fn living(registry: &Registry, jail: &str) -> Option<Prison> {
    registry.prisons().by_name(jail).filter(|prison| !prison.dying).cloned()
}

fn of(prison: &Prison) -> Vec<Rule> {
    prison.rules.iter().filter_map(|rule| rule.parse().ok()).collect()
}

fn controller(rule: &Rule) -> Result<Controller, Error> {
    if rule.action() != Action::Deny {
        return Err(not_emulated(rule, "cgroups can only deny"));
    }
    if rule.per() != Per::Jail {
        return Err(not_emulated(rule, "cgroups can only limit a jail as a whole"));
    }
    match rule.resource() {
        Resource::MemoryUse | Resource::SwapUse => Ok(Controller::Memory),
        Resource::MaxProc => Ok(Controller::Pids),
        Resource::Pcpu => Ok(Controller::Cpu),
        _ => Err(not_emulated(rule, "cgroups limit memoryuse, swapuse, maxproc and pcpu only")),
    }
}

fn not_emulated(rule: &Rule, reason: &str) -> Error {
    Error::NotEmulated { what: rule.to_string(), reason: reason.to_owned() }
}

/// Makes the rules hold.
fn apply(cgroup: &Cgroup, controller: Controller, rules: &[Rule]) -> Result<(), Errno> {
    let limit = |resource| rules.iter().find(|r| r.resource() == resource).map(Rule::amount);
    match controller {
        Controller::Pids => cgroup.write("pids.max", or_max(limit(Resource::MaxProc))),
        Controller::Cpu => {
            /// The kernel's own default, in microseconds.
            const PERIOD: u64 = 100_000;
            // The kernel takes no quota below a millisecond.
            let quota = limit(Resource::Pcpu).map(|percent| (percent * PERIOD / 100).max(1000));
            match cgroup.version {
                Version::One => {
                    cgroup.write("cpu.cfs_period_us", PERIOD)?;
                    cgroup.write("cpu.cfs_quota_us", or_minus_one(quota))
                }
                Version::Two => cgroup.write("cpu.max", format!("{} {PERIOD}", or_max(quota))),
            }
        }
        Controller::Memory => {
            let total = limit(Resource::SwapUse);
            let resident = match (limit(Resource::MemoryUse), total) {
                (Some(resident), Some(total)) => Some(resident.min(total)),
                (resident, total) => resident.or(total),
            };
            memory(cgroup, resident, total)
        }
        Controller::Cpuset => Ok(()),
    }
}

fn memory(cgroup: &Cgroup, resident: Option<u64>, total: Option<u64>) -> Result<(), Errno> {
    const WITH_SWAP: &str = "memory.memsw.limit_in_bytes";
    match cgroup.version {
        Version::One => {
            // It is never to be below the other.
            let counts_swap = cgroup.has(WITH_SWAP);
            if counts_swap {
                cgroup.write(WITH_SWAP, -1)?;
            }
            cgroup.write("memory.limit_in_bytes", or_minus_one(resident))?;
            match total {
                Some(total) if counts_swap => cgroup.write(WITH_SWAP, total),
                // The limit of memory is all there is.
                _ => Ok(()),
            }
        }
        Version::Two => {
            cgroup.write("memory.max", or_max(resident))?;
            let swap = total.map(|total| total - resident.unwrap_or(total));
            if cgroup.has("memory.swap.max") {
                cgroup.write("memory.swap.max", or_max(swap))?;
            }
            Ok(())
        }
    }
}

fn or_max(limit: Option<u64>) -> String {
    limit.map_or_else(|| "max".to_owned(), |limit| limit.to_string())
}

fn or_minus_one(limit: Option<u64>) -> String {
    limit.map_or_else(|| "-1".to_owned(), |limit| limit.to_string())
}
