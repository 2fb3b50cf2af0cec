//! Pause and Resume: every process of the container is stopped, and continued.

use protobuf::well_known_types::empty::Empty;

use crate::error::Error;
use crate::process::State;
use crate::rpc::task::{PauseRequest, ResumeRequest};
use crate::rpc::task_events::{TaskPaused, TaskResumed};
use crate::shim::Shim;
use crate::task::Task;

impl Shim {
    pub(super) async fn pause(&self, request: PauseRequest) -> Result<Empty, Error> {
        let task = self.task(&request.id)?;
        self.switch(&task, "pause", false).await?;
        let container_id = self.identity.id.to_string();
        self.events.publish(&TaskPaused { container_id, ..TaskPaused::default() });
        Ok(Empty::new())
    }

    pub(super) async fn resume(&self, request: ResumeRequest) -> Result<Empty, Error> {
        let task = self.task(&request.id)?;
        self.switch(&task, "resume", true).await?;
        let container_id = self.identity.id.to_string();
        self.events.publish(&TaskResumed { container_id, ..TaskResumed::default() });
        Ok(Empty::new())
    }

    /// Pauses a container that runs, or lets one go on that is `paused`.
    async fn switch(&self, task: &Task, verb: &'static str, paused: bool) -> Result<(), Error> {
        let _turn = task.init.turn.lock().await;
        let state = task.init.state();
        let is_paused = task.is_paused().await?;
        if !matches!(state, State::Running { .. }) || is_paused != paused {
            let state = if is_paused { "paused" } else { state.name() };
            return Err(Error::WrongState { verb, what: self.identity.id.to_string(), state });
        }
        task.runj.switch(verb).await
    }
}
