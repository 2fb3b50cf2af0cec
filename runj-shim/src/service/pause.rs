//! Pause and Resume: every process of the container is stopped, and continued.
//!
//! A jail cannot be frozen. What is done instead is SIGSTOP and SIGCONT for each process in it,
//! which their parents can see, and which a process that some outsider puts into the jail
//! meanwhile does not get.

use std::sync::atomic::Ordering;

use protobuf::well_known_types::empty::Empty;

use crate::error::Error;
use crate::process::State;
use crate::rpc::task::{PauseRequest, ResumeRequest};
use crate::rpc::task_events::{TaskPaused, TaskResumed};
use crate::shim::Shim;
use crate::task::Task;

const SIGSTOP: u32 = libc::SIGSTOP.unsigned_abs();
const SIGCONT: u32 = libc::SIGCONT.unsigned_abs();

impl Shim {
    pub(super) async fn pause(&self, _: PauseRequest) -> Result<Empty, Error> {
        let task = self.task()?;
        self.send(&task, "pause", false, SIGSTOP).await?;
        let container_id = self.identity.id.to_string();
        self.events.publish(&TaskPaused { container_id, ..TaskPaused::default() });
        Ok(Empty::new())
    }

    pub(super) async fn resume(&self, _: ResumeRequest) -> Result<Empty, Error> {
        let task = self.task()?;
        self.send(&task, "resume", true, SIGCONT).await?;
        let container_id = self.identity.id.to_string();
        self.events.publish(&TaskResumed { container_id, ..TaskResumed::default() });
        Ok(Empty::new())
    }

    /// Signals all processes of a container that runs and is paused, or not, and then is not.
    async fn send(
        &self,
        task: &Task,
        verb: &'static str,
        paused: bool,
        signal: u32,
    ) -> Result<(), Error> {
        let _turn = task.init.turn.lock().await;
        let state = task.init.state();
        let is_paused = task.paused.load(Ordering::Relaxed);
        if !matches!(state, State::Running { .. }) || is_paused != paused {
            let state = if is_paused { "paused" } else { state.name() };
            return Err(Error::WrongState { verb, what: self.identity.id.to_string(), state });
        }
        task.runj.kill(signal, true).await?;
        task.paused.store(!paused, Ordering::Relaxed);
        Ok(())
    }
}
