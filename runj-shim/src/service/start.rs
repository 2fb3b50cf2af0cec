//! Start: the container's program runs, or one that Exec has added.

use std::fs;
use std::sync::Arc;

use runj_faults::{Point, at};
use runj_jail::{ProcessId, Signal};

use crate::error::Error;
use crate::exit::Exit;
use crate::process::State;
use crate::rpc::task::{StartRequest, StartResponse};
use crate::rpc::task_events::{TaskExecStarted, TaskStart};
use crate::runj;
use crate::service::create::pid_of;
use crate::shim::Shim;
use crate::task::{Exec, Task};

/// The status of a process that could not be started: containerd's for one that is not known.
const UNKNOWN: u32 = 255;

impl Shim {
    pub(super) async fn start(
        self: &Arc<Self>,
        request: StartRequest,
    ) -> Result<StartResponse, Error> {
        let task = self.task(&request.id)?;
        let pid = if request.exec_id.is_empty() {
            self.start_init(&task).await?
        } else {
            let exec = task.exec(&request.exec_id)?;
            self.start_exec(&task, &exec, &request.exec_id).await?
        };
        Ok(StartResponse { pid, ..StartResponse::default() })
    }

    async fn start_init(&self, task: &Task) -> Result<u32, Error> {
        let init = &task.init;
        let _turn = init.turn.lock().await;
        let State::Created { pid } = init.state() else {
            return Err(wrong_state(self.identity.id.as_ref(), init.state()));
        };
        task.runj.start().await?;
        init.set_state(State::Running { pid });
        let pid = init.state().raw_pid();
        self.events.publish(&TaskStart {
            container_id: self.identity.id.to_string(),
            pid,
            ..TaskStart::default()
        });
        Ok(pid)
    }

    async fn start_exec(
        self: &Arc<Self>,
        task: &Task,
        exec: &Arc<Exec>,
        exec_id: &str,
    ) -> Result<u32, Error> {
        let process = &exec.process;
        let _turn = process.turn.lock().await;
        if process.state() != State::Added {
            return Err(wrong_state(exec_id, process.state()));
        }
        match self.launch_exec(task, exec, exec_id).await {
            Ok(()) => {
                let pid = process.state().raw_pid();
                self.events.publish(&TaskExecStarted {
                    container_id: self.identity.id.to_string(),
                    exec_id: exec_id.to_owned(),
                    pid,
                    ..TaskExecStarted::default()
                });
                Ok(pid)
            }
            Err(error) => {
                // Whoever waits for it is not to wait for ever.
                process.set_state(State::Stopped { pid: None, exit: Exit::now(UNKNOWN) });
                Err(error)
            }
        }
    }

    async fn launch_exec(
        self: &Arc<Self>,
        task: &Task,
        exec: &Arc<Exec>,
        exec_id: &str,
    ) -> Result<(), Error> {
        let process = &exec.process;
        at(Point::ShimStreams)?;
        let console = self.console(&process.stdio)?;
        let opened = process.stdio.open(console, &self.identity, &self.reaper).await?;
        let (streams, attached) = opened.streams()?;
        let files = runj::scratch(self.bundle.path())?;
        let spec = files.path().join("process.json");
        at(Point::ShimProcess)?;
        fs::write(&spec, &exec.spec).map_err(Error::io(format!("{}", spec.display())))?;
        let pid_file = files.path().join("pid");

        let launch = self.reaper.launch();
        task.runj.exec(&spec, &pid_file, streams).await?;
        let pid = pid_of(&pid_file)?;
        if let Err(error) = attached.finish().and_then(|held| process.hold(held)) {
            // Whoever asked for it is told that it does not run.
            if let Some(process) = ProcessId::of(pid)? {
                process.signal(Signal::KILL)?;
            }
            return Err(error);
        }
        process.set_state(State::Running { pid });
        self.watch_exec(Arc::clone(exec), exec_id.to_owned(), launch.end_of(pid));
        Ok(())
    }
}

fn wrong_state(what: &str, state: State) -> Error {
    Error::WrongState { verb: "start", what: what.to_owned(), state: state.name() }
}
