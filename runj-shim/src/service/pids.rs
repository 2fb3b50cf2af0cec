//! Pids: everything that runs in the container.

use protobuf::well_known_types::any::Any;
use protobuf::{Message as _, MessageField};

use crate::error::Error;
use crate::rpc::process_details::ProcessDetails;
use crate::rpc::task::{PidsRequest, PidsResponse, ProcessInfo};
use crate::shim::Shim;

impl Shim {
    pub(super) async fn pids(&self, request: PidsRequest) -> Result<PidsResponse, Error> {
        let task = self.task(&request.id)?;
        let execs: Vec<_> = {
            let execs = task.execs();
            execs.iter().map(|(id, exec)| (id.clone(), exec.process.state().pid())).collect()
        };
        let processes = task
            .pids()?
            .into_iter()
            .map(|pid| {
                let exec = execs.iter().find(|(_, of)| *of == Some(pid));
                ProcessInfo {
                    pid: u32::try_from(pid).unwrap_or_default(),
                    info: MessageField::from_option(exec.and_then(|(id, _)| details(id))),
                    ..ProcessInfo::default()
                }
            })
            .collect();
        Ok(PidsResponse { processes, ..PidsResponse::default() })
    }
}

fn details(exec_id: &str) -> Option<Any> {
    let details = ProcessDetails { exec_id: exec_id.to_owned(), ..ProcessDetails::default() };
    Some(Any {
        type_url: "containerd.runc.v1.ProcessDetails".into(),
        value: details.write_to_bytes().ok()?,
        ..Any::default()
    })
}
