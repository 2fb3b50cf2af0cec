//! State: how far a process has come.

use crate::error::Error;
use crate::process::State;
use crate::rpc::task::{StateRequest, StateResponse, Status};
use crate::shim::Shim;

impl Shim {
    pub(super) async fn state(&self, request: StateRequest) -> Result<StateResponse, Error> {
        let task = self.task(&request.id)?;
        let process = task.process(&request.exec_id)?;
        let state = process.state();
        let status = match state {
            State::Added | State::Created { .. } => Status::CREATED,
            State::Running { .. } if task.is_paused().await? => Status::PAUSED,
            State::Running { .. } => Status::RUNNING,
            State::Stopped { .. } => Status::STOPPED,
        };
        let mut response = StateResponse {
            id: self.identity.id.to_string(),
            bundle: self.bundle.path().display().to_string(),
            pid: state.raw_pid(),
            status: status.into(),
            stdin: process.stdio.stdin.clone(),
            stdout: process.stdio.stdout.clone(),
            stderr: process.stdio.stderr.clone(),
            terminal: process.stdio.terminal,
            exec_id: request.exec_id,
            ..StateResponse::default()
        };
        if let State::Stopped { exit, .. } = state {
            response.exit_status = exit.status;
            response.exited_at = exit.time();
        }
        Ok(response)
    }
}
