//! Kill: a signal for one process, or for all in the container.

use protobuf::well_known_types::empty::Empty;
use runj_jail::{BadSignal, ProcessId, Signal};

use crate::error::Error;
use crate::process::{Process, State};
use crate::rpc::task::KillRequest;
use crate::shim::Shim;

impl Shim {
    pub(super) async fn kill(&self, request: KillRequest) -> Result<Empty, Error> {
        let task = self.task(&request.id)?;
        let process = task.process(&request.exec_id)?;
        let wanted: Signal =
            request.signal.to_string().parse().map_err(|error: BadSignal| Error::Unusable {
                place: "signal".into(),
                value: request.signal.to_string(),
                reason: error.to_string(),
            })?;
        if request.exec_id.is_empty() {
            if matches!(process.state(), State::Stopped { .. }) {
                return Err(Error::Finished(format!("container {}", request.id)));
            }
            let sent = task.runj.kill(request.signal, request.all).await;
            // It may have ended before the signal came, even if its end is still to be told.
            if sent.is_err() && !is_alive(process.state())? {
                return Err(Error::Finished(format!("container {}", request.id)));
            }
            sent?;
        } else {
            // Its program may run already while Start is still about to say so.
            let _turn = process.turn.lock().await;
            signal(&process, &request, wanted)?;
        }
        Ok(Empty::new())
    }
}

fn is_alive(state: State) -> Result<bool, Error> {
    match state {
        State::Created { pid } | State::Running { pid } => Ok(ProcessId::of(pid)?.is_some()),
        State::Added | State::Stopped { .. } => Ok(false),
    }
}

/// Signals a process of Exec's. It is our child, and its pid nobody else's until we collect it,
/// after which it counts as stopped.
fn signal(process: &Process, request: &KillRequest, wanted: Signal) -> Result<(), Error> {
    let finished = || Error::Finished(format!("process {}", request.exec_id));
    match process.state() {
        State::Running { pid } => {
            let process = ProcessId::of(pid)?.ok_or_else(finished)?;
            if process.signal(wanted)? { Ok(()) } else { Err(finished()) }
        }
        State::Stopped { .. } => Err(finished()),
        state @ (State::Added | State::Created { .. }) => Err(Error::WrongState {
            verb: "signal",
            what: request.exec_id.clone(),
            state: state.name(),
        }),
    }
}
