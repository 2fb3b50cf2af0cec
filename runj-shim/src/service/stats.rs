//! Stats: what the container uses.

use protobuf::well_known_types::any::Any;
use protobuf::{Message as _, MessageField};

use crate::error::Error;
use crate::rpc::metrics::{CPUStat, CPUUsage, MemoryEntry, MemoryStat, Metrics, PidsStat};
use crate::rpc::task::{StatsRequest, StatsResponse};
use crate::shim::Shim;
use crate::sys::{self, Usage};

impl Shim {
    pub(super) async fn stats(&self, _: StatsRequest) -> Result<StatsResponse, Error> {
        let pids = self.task()?.pids()?;
        let usage = sys::usage(&pids).map_err(Error::io("what the container uses"))?;
        let failed = |error| Error::io("Metrics")(std::io::Error::other::<protobuf::Error>(error));
        let stats = Any {
            type_url: "io.containerd.cgroups.v1.Metrics".into(),
            value: metrics(pids.len(), usage).write_to_bytes().map_err(failed)?,
            ..Any::default()
        };
        Ok(StatsResponse { stats: MessageField::some(stats), ..StatsResponse::default() })
    }
}

fn metrics(processes: usize, usage: Usage) -> Metrics {
    let Usage { kernel, user, resident } = usage;
    let cpu = CPUUsage { total: kernel + user, kernel, user, ..CPUUsage::default() };
    let memory = MemoryEntry { usage: resident, ..MemoryEntry::default() };
    Metrics {
        pids: MessageField::some(PidsStat {
            current: u64::try_from(processes).unwrap_or_default(),
            ..PidsStat::default()
        }),
        cpu: MessageField::some(CPUStat { usage: MessageField::some(cpu), ..CPUStat::default() }),
        memory: MessageField::some(MemoryStat {
            rss: resident,
            total_rss: resident,
            usage: MessageField::some(memory),
            ..MemoryStat::default()
        }),
        ..Metrics::default()
    }
}
