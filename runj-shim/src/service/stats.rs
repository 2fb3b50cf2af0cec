//! Stats: what the container uses, and what it may use.

use std::time::Duration;

use protobuf::well_known_types::any::Any;
use protobuf::{Message as _, MessageField};
use runj_jail::{Jail, Resource, Rule, Usage};

use crate::error::Error;
use crate::rpc::metrics::{CPUStat, CPUUsage, MemoryEntry, MemoryStat, Metrics, PidsStat};
use crate::rpc::task::{StatsRequest, StatsResponse};
use crate::shim::Shim;

impl Shim {
    pub(super) async fn stats(&self, request: StatsRequest) -> Result<StatsResponse, Error> {
        let task = self.task(&request.id)?;
        let processes = task.pids()?.len();
        let (usage, rules) = match Jail::find(&task.jail_name)? {
            Some(jail) => (jail.usage()?, jail.limits()?.rules()?),
            // It has been deleted, and Delete is about to say so.
            None => Default::default(),
        };
        let failed = |error| Error::io("Metrics")(std::io::Error::other::<protobuf::Error>(error));
        let stats = Any {
            type_url: "io.containerd.cgroups.v1.Metrics".into(),
            value: metrics(processes, &usage, &rules).write_to_bytes().map_err(failed)?,
            ..Any::default()
        };
        Ok(StatsResponse { stats: MessageField::some(stats), ..StatsResponse::default() })
    }
}

fn metrics(processes: usize, usage: &Usage, rules: &[Rule]) -> Metrics {
    let (user, kernel) = (nanoseconds(usage.user_time), nanoseconds(usage.system_time));
    let total = nanoseconds(usage.cpu_time);
    let cpu = CPUUsage { total, kernel, user, ..CPUUsage::default() };
    let entry = |usage, resource| MemoryEntry {
        usage,
        limit: limit(rules, resource),
        ..MemoryEntry::default()
    };
    let swap = usage.accounted.get(&Resource::SwapUse);
    Metrics {
        pids: MessageField::some(PidsStat {
            current: u64::try_from(processes).unwrap_or_default(),
            limit: limit(rules, Resource::MaxProc),
            ..PidsStat::default()
        }),
        cpu: MessageField::some(CPUStat { usage: MessageField::some(cpu), ..CPUStat::default() }),
        memory: MessageField::some(MemoryStat {
            rss: usage.memory,
            total_rss: usage.memory,
            usage: MessageField::some(entry(usage.memory, Resource::MemoryUse)),
            swap: swap.map(|used| entry(*used, Resource::SwapUse)).into(),
            ..MemoryStat::default()
        }),
        ..Metrics::default()
    }
}

/// How much of a resource there is at most; 0 stands for no limit.
fn limit(rules: &[Rule], resource: Resource) -> u64 {
    rules.iter().filter_map(|rule| rule.most_of(resource)).min().unwrap_or_default()
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
