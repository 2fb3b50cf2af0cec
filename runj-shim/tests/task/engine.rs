//! What stands for containerd: its socket for events, a bundle, and a client of the shim.

use std::fs;
use std::future::Future;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use protobuf::well_known_types::any::Any;
use protobuf::well_known_types::empty::Empty;
use protobuf::{Message as _, MessageField};
use serde_json::{Value, json};
use tempfile::TempDir;
use ttrpc::r#async::{Client, Server, TtrpcContext};
use ttrpc::context;
use ttrpc::proto::Response;

use crate::programs::Programs;
use crate::rpc::events::ForwardRequest;
use crate::rpc::events_ttrpc::{Events, create_events};
use crate::rpc::mount::Mount;
use crate::rpc::runj_options::Options;
use crate::rpc::task::{
    CreateTaskRequest, DeleteRequest, DeleteResponse, KillRequest, ShutdownRequest, StartRequest,
    WaitRequest,
};
use crate::rpc::task_ttrpc::TaskClient;

/// A case: what is done with an engine.
pub(crate) type Case = for<'a> fn(&'a Engine) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A shim with a bundle of its own.
pub(crate) struct Engine {
    pub(crate) id: String,
    pub(crate) task: TaskClient,
    client: Client,
    dir: Option<TempDir>,
    path: PathBuf,
    socket: PathBuf,
    topics: Arc<Mutex<Vec<String>>>,
    _events: Server,
}

/// Runs a case, and shows that nothing is left of its container.
pub(crate) fn with(case: Case) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = Engine::start(&[]).await;
        case(&engine).await;
        engine.finish().await;
    });
}

/// The programs, looked for once.
pub(crate) fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(Programs::locate)
}

/// How long anything may take; an emulated machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The same, for a call.
pub(crate) fn patience() -> context::Context {
    context::with_duration(PATIENCE)
}

struct Listener {
    topics: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Events for Listener {
    async fn forward(&self, _: &TtrpcContext, request: ForwardRequest) -> ttrpc::Result<Empty> {
        let topic = request.envelope.topic.clone();
        self.topics.lock().unwrap().push(topic);
        Ok(Empty::new())
    }
}

impl Engine {
    /// Starts a shim, with these variables in its environment.
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let programs = programs();
        let id = format!("s{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::Builder::new().prefix("runj-shim-").tempdir().unwrap();
        fs::create_dir_all(dir.path().join("bundle/rootfs")).unwrap();

        let topics = Arc::<Mutex<Vec<String>>>::default();
        let listener = Listener { topics: Arc::clone(&topics) };
        let events = dir.path().join("events");
        let address = format!("unix://{}", events.display());
        let mut server = Server::new()
            .bind(&address)
            .unwrap()
            .register_service(create_events(Arc::new(listener)));
        server.start().await.unwrap();

        let mut start = Command::new(&programs.shim);
        start.args(["-namespace", "test", "-id", &id, "-address"]).arg(dir.path().join("none"));
        start.arg("start").current_dir(dir.path().join("bundle"));
        start.env("TTRPC_ADDRESS", &events).envs(environment.iter().copied()).stdin(Stdio::null());
        let output = start.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let address = String::from_utf8(output.stdout).unwrap();
        let client = Client::connect(&address).await.unwrap();
        let task = TaskClient::new(client.clone());
        let socket = address.strip_prefix("unix://").unwrap().into();
        let path = dir.path().to_owned();
        Self { id, task, client, dir: Some(dir), path, socket, topics, _events: server }
    }

    /// A connection with the shim that is nobody's yet.
    pub(crate) fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).unwrap()
    }

    /// Says something to the shim that need be no call of its.
    pub(crate) async fn say(&self, request: ttrpc::proto::Request) -> ttrpc::Result<Response> {
        self.client.request(request).await
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a fifo.
    pub(crate) fn fifo(&self, name: &str) -> String {
        let path = self.path(name);
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A request for a container whose root shows the host's, with a shell that runs `script`.
    pub(crate) fn request(&self, script: &str) -> CreateTaskRequest {
        let config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "args": ["/bin/sh", "-c", script],
                "env": ["PATH=/bin:/usr/bin:/sbin"],
                "cwd": "/",
            },
            "root": { "path": "rootfs" },
            "mounts": [{ "destination": "/dev", "type": "devfs", "source": "devfs" }],
            "linux": {},
        });
        let bundle = self.path("bundle");
        fs::write(bundle.join("config.json"), config.to_string()).unwrap();
        let fstype = if cfg!(target_os = "freebsd") { "nullfs" } else { "bind" };
        let root = Mount {
            type_: fstype.into(),
            source: "/".into(),
            options: vec!["bind".into(), "ro".into()],
            ..Mount::default()
        };
        let options = Options {
            runj_binary: programs().runj.to_str().unwrap().into(),
            runj_root: self.path("state").to_str().unwrap().into(),
            ..Options::default()
        };
        CreateTaskRequest {
            id: self.id.clone(),
            bundle: bundle.to_str().unwrap().into(),
            rootfs: vec![root],
            options: MessageField::some(Any {
                type_url: "runj.options.v1.Options".into(),
                value: options.write_to_bytes().unwrap(),
                ..Any::default()
            }),
            ..CreateTaskRequest::default()
        }
    }

    /// Gives the configuration of the last request a property.
    pub(crate) fn set(&self, property: &str, value: Value) {
        let path = self.path("bundle/config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config[property] = value;
        fs::write(path, config.to_string()).unwrap();
    }

    /// Starts the container, or a process of Exec's; its pid.
    pub(crate) async fn run(&self, exec_id: &str) -> u32 {
        let exec_id = exec_id.to_owned();
        let request = StartRequest { id: self.id.clone(), exec_id, ..StartRequest::default() };
        self.task.start(patience(), &request).await.unwrap().pid
    }

    /// Does this to the container without the shim.
    pub(crate) fn runj(&self, verb: &str) {
        let mut runj = Command::new(&programs().runj);
        let output = runj.arg("--root").arg(self.path("state")).args([verb, &self.id]).output();
        let output = output.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }

    /// Kills the container and waits for its end.
    pub(crate) async fn kill(&self) {
        let request =
            KillRequest { id: self.id.clone(), signal: 9, all: true, ..KillRequest::default() };
        self.task.kill(patience(), &request).await.unwrap();
        assert_eq!(self.wait("").await, 137);
    }

    /// Waits for a process's end; its status.
    pub(crate) async fn wait(&self, exec_id: &str) -> u32 {
        let exec_id = exec_id.to_owned();
        let request = WaitRequest { id: self.id.clone(), exec_id, ..WaitRequest::default() };
        self.task.wait(patience(), &request).await.unwrap().exit_status
    }

    pub(crate) async fn delete(&self, exec_id: &str) -> DeleteResponse {
        let exec_id = exec_id.to_owned();
        let request = DeleteRequest { id: self.id.clone(), exec_id, ..DeleteRequest::default() };
        self.task.delete(patience(), &request).await.unwrap()
    }

    /// The topics of the events up to now, without what all have in common.
    pub(crate) fn topics(&self) -> Vec<String> {
        let topics = self.topics.lock().unwrap();
        topics.iter().map(|topic| topic.trim_start_matches("/tasks/").to_owned()).collect()
    }

    /// Tells the shim to end, calls its `delete`, and shows that nothing is left. One whose bundle
    /// is gone has ended.
    async fn finish(self) {
        if self.path("bundle").exists() {
            let request = ShutdownRequest { id: self.id.clone(), ..ShutdownRequest::default() };
            self.task.shutdown(patience(), &request).await.unwrap();
        }
        self.assert_nothing_left();
    }
}

impl Engine {
    /// Calls the shim's `delete`, and shows that nothing is left.
    pub(crate) fn assert_nothing_left(&self) {
        let output = self.clean_up();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(!self.socket.exists());
        assert!(!self.is_mounted(), "the root is still mounted");
        let mut states = fs::read_dir(self.path("state")).into_iter().flatten();
        assert!(states.next().is_none(), "runj still has a state");
    }

    /// Calls the shim's `delete`.
    pub(crate) fn clean_up(&self) -> Output {
        self.clean_up_with(&[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn clean_up_with(&self, environment: &[(&str, &str)]) -> Output {
        let mut delete = Command::new(&programs().shim);
        delete.args(["-namespace", "test", "-id", &self.id, "-address"]).arg(self.path("none"));
        delete.arg("-bundle").arg(self.path("bundle")).arg("delete");
        delete.envs(environment.iter().copied());
        delete.current_dir("/").stdin(Stdio::null()).output().unwrap()
    }

    fn is_mounted(&self) -> bool {
        let root = fs::read_dir(self.path("bundle/rootfs"));
        root.is_ok_and(|mut entries| entries.next().is_some())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.clean_up();
        if let Some(dir) = self.dir.take().filter(|_| self.is_mounted()) {
            // What would be removed is the host's own.
            let _ = dir.keep();
        }
    }
}

/// Reads a fifo to its end, beside everything else.
pub(crate) fn read(path: &str) -> JoinHandle<String> {
    let path = Path::new(path).to_owned();
    thread::spawn(move || {
        let mut text = String::new();
        fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
        text
    })
}
