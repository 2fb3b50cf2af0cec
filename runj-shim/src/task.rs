//! The container of a shim, once it is created.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runj_jail::{Jail, JailName, ProcessId, RunState};

use crate::error::Error;
use crate::process::Process;
use crate::runj::Runj;

/// A container: containerd calls it a task.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) runj: Runj,
    pub(crate) jail_name: JailName,
    pub(crate) init: Arc<Process>,
    execs: Mutex<BTreeMap<String, Arc<Exec>>>,
}

/// A process that Exec has added.
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) process: Arc<Process>,
    /// OCI's `process`, as JSON.
    pub(crate) spec: Vec<u8>,
}

impl Task {
    pub(crate) fn new(runj: Runj, jail_name: JailName, init: Arc<Process>) -> Self {
        Self { runj, jail_name, init, execs: Mutex::default() }
    }

    /// The process of that exec id, or the container's first one where that is empty.
    pub(crate) fn process(&self, exec_id: &str) -> Result<Arc<Process>, Error> {
        if exec_id.is_empty() {
            return Ok(Arc::clone(&self.init));
        }
        Ok(Arc::clone(&self.exec(exec_id)?.process))
    }

    pub(crate) fn exec(&self, exec_id: &str) -> Result<Arc<Exec>, Error> {
        let exec = self.execs().get(exec_id).map(Arc::clone);
        exec.ok_or_else(|| Error::NotFound(format!("process {exec_id}")))
    }

    /// The processes that Exec has added and Delete has not removed yet.
    pub(crate) fn execs(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Exec>>> {
        self.execs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is paused, by the shim or by somebody else.
    pub(crate) async fn is_paused(&self) -> Result<bool, Error> {
        // What is paused has stopped, and this is the cheaper question.
        let stopped = match Jail::find(&self.jail_name)? {
            Some(jail) => {
                jail.process_states()?.iter().any(|process| process.run == RunState::Stopped)
            }
            None => false,
        };
        Ok(stopped && self.runj.is_paused().await?)
    }

    /// The pids of everything in the container. Before it is started, its first process is not in
    /// its jail.
    pub(crate) fn pids(&self) -> Result<Vec<i32>, Error> {
        let mut pids = Vec::new();
        if let Some(jail) = Jail::find(&self.jail_name)? {
            pids.extend(jail.processes()?.into_iter().map(ProcessId::pid));
        }
        // Also when it has ended: containerd takes a container without a process for one whose
        // creation it did not see the end of, and throws it away with its exit status.
        if let Some(pid) = self.init.state().pid().filter(|pid| !pids.contains(pid)) {
            pids.insert(0, pid);
        }
        Ok(pids)
    }
}
