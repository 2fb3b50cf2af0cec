//! What follows when a process ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::error::whole;
use crate::exit::Exit;
use crate::process::{Process, State};
use crate::reaper::End;
use crate::rpc::task_events::TaskExit;
use crate::shim::Shim;
use crate::task::{Exec, Task};

/// How long the processes that the first one leaves behind may take to end when they are killed.
const PATIENCE: Duration = Duration::from_secs(5);

const SIGKILL: u32 = libc::SIGKILL.unsigned_abs();

impl Shim {
    /// Waits for the end of the container's first process, which is that of all others.
    pub(super) fn watch_init(self: &Arc<Self>, task: Arc<Task>, end: End) {
        let shim = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(exit) = end.await else { return };
            let _turn = task.init.turn.lock().await;
            if let Err(error) = shim.bundle.write_exit(&exit) {
                tracing::warn!("{}", whole(&error));
            }
            // In most containers nothing is left, and then this fails.
            if let Err(error) = task.runj.kill(SIGKILL, true).await {
                tracing::debug!("{}", whole(&error));
            }
            // The ends of those that containerd knows are told before.
            let execs: Vec<_> = task.execs().values().map(Arc::clone).collect();
            for exec in execs {
                if matches!(exec.process.state(), State::Running { .. }) {
                    let _ = timeout(PATIENCE, exec.process.end()).await;
                }
            }
            shim.ended(&task.init, shim.identity.id.as_ref(), exit);
        });
    }

    /// Waits for the end of a process of Exec's.
    pub(super) fn watch_exec(self: &Arc<Self>, exec: Arc<Exec>, exec_id: String, end: End) {
        let shim = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(exit) = end.await else { return };
            let _turn = exec.process.turn.lock().await;
            shim.ended(&exec.process, &exec_id, exit);
        });
    }

    fn ended(&self, process: &Process, id: &str, exit: Exit) {
        process.let_end();
        let state = process.state();
        process.set_state(State::Stopped { pid: state.pid(), exit });
        self.events.publish(&TaskExit {
            container_id: self.identity.id.to_string(),
            id: id.to_owned(),
            pid: state.raw_pid(),
            exit_status: exit.status,
            exited_at: exit.time(),
            ..TaskExit::default()
        });
    }
}
