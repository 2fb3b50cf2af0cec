//! What a jail uses.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::process_info::ProcessInfo;
use crate::resource::Resource;

/// What a jail and the jails below it use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Processes.
    pub processes: u64,
    /// Threads.
    pub threads: u64,
    /// Resident memory, in bytes; pages that processes share count for each.
    pub memory: u64,
    /// Address space, in bytes.
    pub virtual_memory: u64,
    /// Time of the processor that programs have used, by the processes that live and the children
    /// that they have collected.
    pub user_time: Duration,
    /// The same, used by the kernel on their behalf.
    pub system_time: Duration,
    /// All time of the processor. Where the kernel accounts it knows that of processes that are
    /// gone as well, to the second.
    pub cpu_time: Duration,
    /// What the kernel accounts for the jail, each in the unit of its resource; empty where it
    /// does not (`kern.racct.enable`).
    pub accounted: BTreeMap<Resource, u64>,
}

impl Usage {
    /// What these processes use, with what the kernel accounts for all of them.
    pub(crate) fn new(processes: &[ProcessInfo], accounted: BTreeMap<Resource, u64>) -> Self {
        let sum = |of: fn(&ProcessInfo) -> u64| processes.iter().map(of).sum();
        let time = |of: fn(&ProcessInfo) -> Duration| processes.iter().map(of).sum::<Duration>();
        let user_time = time(|process| process.user_time + process.children_user_time);
        let system_time = time(|process| process.system_time + process.children_system_time);
        let counted = accounted.get(&Resource::CpuTime).copied().unwrap_or_default();
        Self {
            processes: u64::try_from(processes.len()).unwrap_or(u64::MAX),
            threads: sum(|process| process.threads),
            memory: sum(|process| process.memory),
            virtual_memory: sum(|process| process.virtual_memory),
            user_time,
            system_time,
            cpu_time: (user_time + system_time).max(Duration::from_secs(counted)),
            accounted,
        }
    }
}

/// Reads what rctl_get_racct(2) returns: `cputime=3,memoryuse=4096,…`. Resources of a later kernel
/// that have no name here are left out.
#[cfg(any(target_os = "freebsd", test))]
pub(crate) fn accounted(text: &str) -> BTreeMap<Resource, u64> {
    text.split(',')
        .filter_map(|entry| {
            let (resource, amount) = entry.split_once('=')?;
            // What is counted with some delay can be below zero for a moment.
            let amount: i64 = amount.parse().ok()?;
            Some((resource.parse().ok()?, u64::try_from(amount).unwrap_or_default()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_accounts_is_read() {
        let read = accounted("cputime=7,memoryuse=4096,maxproc=-1,later=9,nthr=x");
        let expected =
            [(Resource::CpuTime, 7), (Resource::MemoryUse, 4096), (Resource::MaxProc, 0)];
        assert_eq!(read, BTreeMap::from(expected));
        assert_eq!(accounted(""), BTreeMap::new());
    }

    #[test]
    fn the_dead_count_where_the_kernel_accounts() {
        let usage = Usage::new(&[], BTreeMap::from([(Resource::CpuTime, 7)]));
        assert_eq!((usage.cpu_time, usage.user_time), (Duration::from_secs(7), Duration::ZERO));
    }
}
