//! Create: the container exists, and its first process waits.

use std::fs;
use std::sync::Arc;

use protobuf::MessageField;
use runj_faults::{Point, at};
use runj_spec::Config;
use serde_json::Value;

use crate::bundle::{Bundle, Notes};
use crate::error::Error;
use crate::io::Stdio;
use crate::options::Options;
use crate::process::{Process, State};
use crate::rpc::task::{CreateTaskRequest, CreateTaskResponse};
use crate::rpc::task_events::{TaskCreate, TaskIO};
use crate::runj::Runj;
use crate::shim::Shim;
use crate::task::Task;
use crate::{jail_name, rootfs};

impl Shim {
    pub(super) async fn create(
        self: &Arc<Self>,
        request: CreateTaskRequest,
    ) -> Result<CreateTaskResponse, Error> {
        let _creation = self.creation.lock().await;
        self.check(&request)?;
        let options = Options::read(request.options.as_ref(), &self.identity.namespace)?;
        options.install(&self.bundle)?;
        configure(&self.bundle, request.terminal)?;
        let notes = Notes { runj: options.runj.clone(), root: options.root.clone() };
        // Before anything is done that `delete` would have to undo.
        self.bundle.write_notes(&notes)?;

        let root = self.bundle.rootfs();
        rootfs::mount(&request.rootfs, &root)?;
        let created = self.create_on_root(&request, options).await;
        if created.is_err()
            && let Err(left) = rootfs::unmount(&root)
        {
            tracing::warn!("undoing Create: {left}");
        }
        created
    }

    /// Refuses what cannot be, before anything is done.
    fn check(&self, request: &CreateTaskRequest) -> Result<(), Error> {
        let id = self.identity.id.as_ref();
        if request.id != id {
            return Err(Error::Unusable {
                place: "id".into(),
                value: format!("{:?}", request.id),
                reason: format!("this is the shim of {id:?}"),
            });
        }
        if self.slot().is_some() {
            return Err(Error::Exists(format!("container {id}")));
        }
        if !request.checkpoint.is_empty() {
            return Err(Error::Unsupported("going on from a checkpoint"));
        }
        Ok(())
    }

    async fn create_on_root(
        self: &Arc<Self>,
        request: &CreateTaskRequest,
        options: Options,
    ) -> Result<CreateTaskResponse, Error> {
        let stdio = Stdio {
            stdin: request.stdin.clone(),
            stdout: request.stdout.clone(),
            stderr: request.stderr.clone(),
            terminal: request.terminal,
        };
        at(Point::ShimStreams)?;
        let console = self.console(&stdio)?;
        let opened = stdio.open(console, &self.identity, &self.reaper).await?;
        let (streams, attached) = opened.streams()?;
        let bundle = self.bundle.path().to_owned();
        let id = self.identity.id.clone();
        let runj = Runj::new(options.runj, options.root, id, bundle, self.reaper.clone());
        let jail_name = jail_name::choose(&self.identity)?;

        let launch = self.reaper.launch();
        let pid_file = self.bundle.pid_file();
        runj.create(&jail_name, &pid_file, streams).await?;
        // From here on there is a container, which is deleted when something fails.
        let attached = attached.finish().and_then(|held| Ok((held, pid_of(&pid_file)?)));
        let (held, pid) = match attached {
            Ok(attached) => attached,
            Err(error) => {
                runj.delete().await?;
                return Err(error);
            }
        };
        let end = launch.end_of(pid);
        let init = Arc::new(Process::new(stdio, State::Created { pid }, held));
        let task = Arc::new(Task::new(runj, jail_name, init));
        *self.slot() = Some(Arc::clone(&task));

        let pid = task.init.state().raw_pid();
        let stdio = &task.init.stdio;
        let io = TaskIO {
            stdin: stdio.stdin.clone(),
            stdout: stdio.stdout.clone(),
            stderr: stdio.stderr.clone(),
            terminal: stdio.terminal,
            ..TaskIO::default()
        };
        self.events.publish(&TaskCreate {
            container_id: request.id.clone(),
            bundle: request.bundle.clone(),
            rootfs: request.rootfs.clone(),
            io: MessageField::some(io),
            pid,
            ..TaskCreate::default()
        });
        // Only now, so that its end is told after its creation.
        self.watch_init(task, end);
        Ok(CreateTaskResponse { pid, ..CreateTaskResponse::default() })
    }
}

/// Makes of config.json what `runj` is to read.
fn configure(bundle: &Bundle, terminal: bool) -> Result<(), Error> {
    let text = runj_spec::Bundle::read_config(bundle.path())?;
    let mut config: Value = serde_json::from_slice(&text).map_err(|error| Error::Unusable {
        place: Config::FILE_NAME.into(),
        value: format!("{} bytes", text.len()),
        reason: error.to_string(),
    })?;
    // They are said twice, and the streams go by what was said to us.
    if let Some(process) = config.get_mut("process").and_then(Value::as_object_mut) {
        process.insert("terminal".into(), terminal.into());
    }
    bundle.replace(Config::FILE_NAME, config.to_string().as_bytes())
}

/// The pid that `runj` has left in a file.
pub(super) fn pid_of(file: &std::path::Path) -> Result<i32, Error> {
    let failed = || Error::io(format!("{}", file.display()));
    at(Point::ShimPid)?;
    let text = fs::read_to_string(file).map_err(failed())?;
    text.trim().parse().map_err(std::io::Error::other).map_err(failed())
}
