//! What is proved.

use std::fs;
use std::io::Write as _;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use protobuf::MessageField;
use protobuf::well_known_types::any::Any;
use runj_jail::ProcessId;
use serde_json::json;
use ttrpc::Code;

use crate::engine::{Engine, PATIENCE, patience, read};
use crate::rpc::task::{
    CheckpointTaskRequest, CloseIORequest, ConnectRequest, CreateTaskRequest, DeleteRequest,
    ExecProcessRequest, KillRequest, PidsRequest, ResizePtyRequest, StartRequest, StateRequest,
    StatsRequest, Status,
};

macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[(&str, $crate::engine::Case)] =
            &[$((stringify!($name), |engine| Box::pin($name(engine)))),+];
    };
}
pub(crate) use cases;

cases![
    a_container_runs_to_its_end,
    it_ends_when_its_input_does,
    it_can_have_a_terminal,
    more_processes_run_in_it,
    errors_have_codes,
    a_failed_create_leaves_nothing,
    a_configuration_that_is_none_is_refused,
    a_failed_hook_ends_the_container,
    a_slow_hook_is_waited_for,
    it_ends_when_its_container_was_taken_from_it,
];

async fn a_container_runs_to_its_end(engine: &Engine) {
    let (stdout, stderr) = (engine.fifo("out"), engine.fifo("err"));
    let said = [read(&stdout), read(&stderr)];
    let request = engine.request("echo out; echo err >&2; exit 3");
    let request = CreateTaskRequest { stdout, stderr, ..request };
    let pid = engine.task.create(patience(), &request).await.unwrap().pid;
    assert_eq!(engine.run("").await, pid);
    assert_eq!(engine.wait("").await, 3);
    assert_eq!(said.map(|said| said.join().unwrap()), ["out\n", "err\n"]);
    let deleted = engine.delete("").await;
    assert_eq!((deleted.pid, deleted.exit_status), (pid, 3));
    assert!(deleted.exited_at.seconds > 0);
    let mut order = engine.topics();
    if order.len() == 3 {
        // The last one may still be on its way; Shutdown would wait for it.
        order.push("delete".into());
    }
    assert_eq!(order, ["create", "start", "exit", "delete"]);
}

async fn it_ends_when_its_input_does(engine: &Engine) {
    let (stdin, stdout) = (engine.fifo("in"), engine.fifo("out"));
    let said = read(&stdout);
    let path = stdin.clone();
    let request = CreateTaskRequest { stdin, stdout, ..engine.request("cat") };
    engine.task.create(patience(), &request).await.unwrap();
    engine.run("").await;
    // One client after the other.
    for word in ["one\n", "two\n"] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(word.as_bytes()).unwrap();
    }
    let request =
        CloseIORequest { id: engine.id.clone(), stdin: true, ..CloseIORequest::default() };
    engine.task.close_io(patience(), &request).await.unwrap();
    assert_eq!(engine.wait("").await, 0);
    assert_eq!(said.join().unwrap(), "one\ntwo\n");
    engine.delete("").await;
}

async fn it_can_have_a_terminal(engine: &Engine) {
    let (stdin, stdout) = (engine.fifo("in"), engine.fifo("out"));
    let said = read(&stdout);
    let path = stdin.clone();
    let script = "read line; stty size; echo \"got $line\"; exit 4";
    let request = CreateTaskRequest { stdin, stdout, terminal: true, ..engine.request(script) };
    engine.task.create(patience(), &request).await.unwrap();
    let (id, width, height) = (engine.id.clone(), 99, 33);
    let request = ResizePtyRequest { id, width, height, ..ResizePtyRequest::default() };
    engine.task.resize_pty(patience(), &request).await.unwrap();
    engine.run("").await;
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"word\n").unwrap();
    assert_eq!(engine.wait("").await, 4);
    let said = said.join().unwrap();
    assert!(said.contains("33 99\r\n") && said.ends_with("got word\r\n"), "{said:?}");
    engine.delete("").await;
}

async fn more_processes_run_in_it(engine: &Engine) {
    let request = engine.request("sleep 1000 & sleep 1000");
    let init = engine.task.create(patience(), &request).await.unwrap().pid;
    engine.run("").await;
    let process = r#"{ "args": ["/bin/sh", "-c", "kill -USR1 $$"], "cwd": "/" }"#;
    let request = ExecProcessRequest {
        id: engine.id.clone(),
        exec_id: "e".into(),
        spec: MessageField::some(Any { value: process.into(), ..Any::default() }),
        ..ExecProcessRequest::default()
    };
    engine.task.exec(patience(), &request).await.unwrap();
    engine.run("e").await;
    let usr1 = u32::try_from(libc::SIGUSR1).unwrap();
    assert_eq!(engine.wait("e").await, 128 + usr1);
    assert_eq!(engine.delete("e").await.exit_status, 128 + usr1);

    let request = PidsRequest { id: engine.id.clone(), ..PidsRequest::default() };
    // The shell takes its time.
    let listed = async {
        loop {
            let pids = engine.task.pids(patience(), &request).await.unwrap().processes;
            if pids.len() >= 2 {
                return pids;
            }
            tokio::task::yield_now().await;
        }
    };
    let pids = tokio::time::timeout(PATIENCE, listed).await.expect("two processes");
    assert!(pids.iter().any(|process| process.pid == init), "{pids:?}");
    let request = StatsRequest { id: engine.id.clone(), ..StatsRequest::default() };
    let stats = engine.task.stats(patience(), &request).await.unwrap().stats;
    assert_eq!(stats.type_url, "io.containerd.cgroups.v1.Metrics");

    let request =
        KillRequest { id: engine.id.clone(), signal: 9, all: true, ..KillRequest::default() };
    engine.task.kill(patience(), &request).await.unwrap();
    assert_eq!(engine.wait("").await, 137);
    let order = engine.topics();
    let expected = ["create", "start", "exec-added", "exec-started", "exit"];
    assert!(order.starts_with(&expected.map(String::from)), "{order:?}");
    engine.delete("").await;
}

pub(crate) fn code<T>(result: ttrpc::Result<T>) -> Code {
    match result {
        Err(ttrpc::Error::RpcStatus(status)) => status.code(),
        Err(error) => panic!("{error}"),
        Ok(_) => Code::OK,
    }
}

async fn errors_have_codes(engine: &Engine) {
    let id = || engine.id.clone();
    let state = StateRequest { id: id(), ..StateRequest::default() };
    let kill = KillRequest { id: id(), signal: 9, ..KillRequest::default() };
    let delete = DeleteRequest { id: id(), ..DeleteRequest::default() };
    assert_eq!(code(engine.task.state(patience(), &state).await), Code::NOT_FOUND);

    let request = engine.request("sleep 1000");
    engine.task.create(patience(), &request).await.unwrap();
    assert_eq!(code(engine.task.create(patience(), &request).await), Code::ALREADY_EXISTS);
    let created = engine.task.state(patience(), &state).await.unwrap();
    assert_eq!(created.status.enum_value(), Ok(Status::CREATED));
    engine.run("").await;
    assert_eq!(code(engine.task.delete(patience(), &delete).await), Code::FAILED_PRECONDITION);
    let exec = StateRequest { id: id(), exec_id: "e".into(), ..StateRequest::default() };
    assert_eq!(code(engine.task.state(patience(), &exec).await), Code::NOT_FOUND);
    let checkpoint = CheckpointTaskRequest { id: id(), ..CheckpointTaskRequest::default() };
    assert_eq!(code(engine.task.checkpoint(patience(), &checkpoint).await), Code::UNIMPLEMENTED);
    engine.task.kill(patience(), &kill).await.unwrap();
    engine.wait("").await;
    assert_eq!(code(engine.task.kill(patience(), &kill).await), Code::NOT_FOUND);
    let exec =
        ExecProcessRequest { id: id(), exec_id: "e".into(), ..ExecProcessRequest::default() };
    assert_eq!(code(engine.task.exec(patience(), &exec).await), Code::FAILED_PRECONDITION);
    engine.delete("").await;
    assert_eq!(code(engine.task.delete(patience(), &delete).await), Code::NOT_FOUND);
}

async fn a_failed_create_leaves_nothing(engine: &Engine) {
    let mut request = engine.request("true");
    request.stdout = "binary:///no/such/logger".into();
    assert_eq!(code(engine.task.create(patience(), &request).await), Code::INTERNAL);
    request.stdout = "tcp://127.0.0.1".into();
    assert_eq!(code(engine.task.create(patience(), &request).await), Code::INVALID_ARGUMENT);
    request.stdout.clear();
    engine.task.create(patience(), &request).await.unwrap();
    engine.delete("").await;
}

async fn a_configuration_that_is_none_is_refused(engine: &Engine) {
    let request = engine.request("true");
    let path = engine.path("bundle/config.json");
    let good = fs::read(&path).unwrap();
    let too_large = vec![b' '; (4 << 20) + 1];
    for (text, reason) in [(&b"{"[..], "EOF while parsing"), (&too_large[..], "4194304 bytes")] {
        fs::write(&path, text).unwrap();
        let error = engine.task.create(patience(), &request).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("config.json") && said.contains(reason), "{said}");
        assert_eq!(code(Err::<(), _>(error)), Code::INVALID_ARGUMENT);
    }
    // It would wait for whoever writes.
    fs::remove_file(&path).unwrap();
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let said = engine.task.create(patience(), &request).await.unwrap_err().to_string();
    assert!(said.contains("config.json"), "{said}");

    fs::remove_file(&path).unwrap();
    fs::write(&path, good).unwrap();
    engine.task.create(patience(), &request).await.unwrap();
    engine.delete("").await;
}

/// `runj start` takes the container away then, and with it what the shim asks about.
async fn a_failed_hook_ends_the_container(engine: &Engine) {
    for (number, kind) in ["startContainer", "poststart"].into_iter().enumerate() {
        let request = engine.request("sleep 1000");
        let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", "echo no way >&2; exit 7"] });
        engine.set("hooks", json!({ kind: [hook] }));
        let pid = engine.task.create(patience(), &request).await.unwrap().pid;
        let start = StartRequest { id: engine.id.clone(), ..StartRequest::default() };
        let error = engine.task.start(patience(), &start).await.unwrap_err().to_string();
        for said in [&format!("hooks.{kind}[0]"), "no way", "7"] {
            assert!(error.contains(said), "{said:?} is not in {error}");
        }
        if number == 0 {
            // A client may wait for the end or delete it at once.
            assert_ne!(engine.wait("").await, 0);
        }
        let deleted = engine.delete("").await;
        assert_eq!(deleted.pid, pid);
        assert_ne!(deleted.exit_status, 0);
        let request = StateRequest { id: engine.id.clone(), ..StateRequest::default() };
        assert_eq!(code(engine.task.state(patience(), &request).await), Code::NOT_FOUND);
    }
    let mut order = engine.topics();
    if order.len() == 5 {
        // The last one may still be on its way.
        order.push("delete".into());
    }
    assert_eq!(order, ["create", "exit", "delete"].repeat(2));
}

async fn a_slow_hook_is_waited_for(engine: &Engine) {
    let request = engine.request("exit 3");
    // Longer than the 20 seconds for which a shim stays that has nothing to do.
    let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", "sleep 23"] });
    engine.set("hooks", json!({ "createRuntime": [hook] }));
    let pid = engine.task.create(patience(), &request).await.unwrap().pid;
    assert_eq!(engine.run("").await, pid);
    assert_eq!(engine.wait("").await, 3);
    engine.delete("").await;
}

/// As by a containerd that has lost its connection to the shim, and takes it for dead.
async fn it_ends_when_its_container_was_taken_from_it(engine: &Engine) {
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    engine.run("").await;
    let request = ConnectRequest { id: engine.id.clone(), ..ConnectRequest::default() };
    let pid = engine.task.connect(patience(), &request).await.unwrap().shim_pid;
    let shim = ProcessId::of(pid.try_into().unwrap()).unwrap().unwrap();
    assert!(engine.clean_up().status.success());
    // It has seen the end of its container, and containerd may yet ask for it.
    assert_eq!(engine.wait("").await, 137);
    fs::remove_dir_all(engine.path("bundle")).unwrap();
    assert!(shim.wait(PATIENCE).unwrap());
}
