//! Delete: nothing is left of the container, or of a process of Exec's.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::exit::Exit;
use crate::process::{Process, State};
use crate::rootfs;
use crate::rpc::task::{DeleteRequest, DeleteResponse};
use crate::rpc::task_events::TaskDelete;
use crate::shim::Shim;
use crate::task::Task;

/// How long clients may take to read what a process wrote before it ended.
const PATIENCE: Duration = Duration::from_secs(2);

impl Shim {
    pub(super) async fn delete(&self, request: DeleteRequest) -> Result<DeleteResponse, Error> {
        let task = self.task(&request.id)?;
        if request.exec_id.is_empty() {
            self.delete_container(&task).await
        } else {
            self.delete_exec(&task, &request.exec_id).await
        }
    }

    async fn delete_container(&self, task: &Task) -> Result<DeleteResponse, Error> {
        let init = &task.init;
        if let State::Created { .. } = init.state() {
            // It has not run, so nothing is lost with it; its end comes of being deleted.
            task.runj.delete().await?;
            init.end().await;
        }
        let _turn = init.turn.lock().await;
        let State::Stopped { exit, .. } = init.state() else {
            return Err(running(self.identity.id.as_ref(), init.state()));
        };
        task.runj.delete().await?;
        let execs: Vec<_> = mem::take(&mut *task.execs()).into_values().collect();
        for exec in execs {
            exec.process.release(Duration::ZERO).await;
        }
        let response = answer(init, exit).await;
        rootfs::unmount(&self.bundle.rootfs())?;
        *self.slot() = None;
        self.events.publish(&TaskDelete {
            container_id: self.identity.id.to_string(),
            id: self.identity.id.to_string(),
            pid: response.pid,
            exit_status: response.exit_status,
            exited_at: response.exited_at.clone(),
            ..TaskDelete::default()
        });
        Ok(response)
    }

    async fn delete_exec(&self, task: &Task, exec_id: &str) -> Result<DeleteResponse, Error> {
        let exec = task.exec(exec_id)?;
        let _turn = exec.process.turn.lock().await;
        let exit = match exec.process.state() {
            State::Stopped { exit, .. } => exit,
            // It has never been started.
            State::Added => Exit::now(0),
            state => return Err(running(exec_id, state)),
        };
        let response = answer(&exec.process, exit).await;
        task.execs().remove(exec_id);
        Ok(response)
    }
}

/// Lets go of the process's streams and says how it ended.
async fn answer(process: &Arc<Process>, exit: Exit) -> DeleteResponse {
    process.release(PATIENCE).await;
    DeleteResponse {
        pid: process.state().raw_pid(),
        exit_status: exit.status,
        exited_at: exit.time(),
        ..DeleteResponse::default()
    }
}

fn running(what: &str, state: State) -> Error {
    Error::WrongState { verb: "delete", what: what.to_owned(), state: state.name() }
}
