//! Exec: one more process is described.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use protobuf::well_known_types::empty::Empty;
use serde_json::Value;

use crate::error::Error;
use crate::io::{Held, Stdio};
use crate::process::{Process, State};
use crate::rpc::task::ExecProcessRequest;
use crate::rpc::task_events::TaskExecAdded;
use crate::shim::Shim;
use crate::task::Exec;

impl Shim {
    pub(super) async fn exec(&self, request: ExecProcessRequest) -> Result<Empty, Error> {
        let task = self.task(&request.id)?;
        if request.exec_id.is_empty() {
            return Err(Error::Unusable {
                place: "exec_id".into(),
                value: "\"\"".into(),
                reason: "a process needs an id".into(),
            });
        }
        let state = task.init.state();
        if matches!(state, State::Stopped { .. }) {
            let what = self.identity.id.to_string();
            return Err(Error::WrongState { verb: "exec in", what, state: state.name() });
        }
        if task.is_paused().await? {
            let what = self.identity.id.to_string();
            return Err(Error::WrongState { verb: "exec in", what, state: "paused" });
        }
        let spec = request.spec.as_ref().map(|any| any.value.as_slice()).unwrap_or_default();
        let spec = described(spec, request.terminal)?;
        let stdio = Stdio {
            stdin: request.stdin,
            stdout: request.stdout,
            stderr: request.stderr,
            terminal: request.terminal,
        };
        match task.execs().entry(request.exec_id.clone()) {
            Entry::Occupied(_) => {
                return Err(Error::Exists(format!("process {}", request.exec_id)));
            }
            Entry::Vacant(place) => {
                let process = Arc::new(Process::new(stdio, State::Added, Held::default()));
                place.insert(Arc::new(Exec { process, spec }));
            }
        }
        self.events.publish(&TaskExecAdded {
            container_id: self.identity.id.to_string(),
            exec_id: request.exec_id,
            ..TaskExecAdded::default()
        });
        Ok(Empty::new())
    }
}

/// Checks OCI's `process`, as `runj` does it, and lets it have a terminal or not as the streams do.
pub(crate) fn described(spec: &[u8], terminal: bool) -> Result<Vec<u8>, Error> {
    let mut process = runj_spec::Process::parse(spec, "process")?;
    process.terminal = terminal;
    let process = serde_json::to_value(&process).unwrap_or(Value::Null);
    Ok(process.to_string().into_bytes())
}
