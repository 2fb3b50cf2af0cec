//! Clients that leave, clients that ask for much, and clients that talk nonsense.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use protobuf::well_known_types::any::Any;
use protobuf::{Message as _, MessageField};
use runj_tests::{descriptors, memory};
use ttrpc::Code;
use ttrpc::proto::Request;

use crate::cases::{cases, code};
use crate::engine::{Engine, PATIENCE, patience};
use crate::rpc::task::{
    CloseIORequest, ConnectRequest, CreateTaskRequest, DeleteRequest, ExecProcessRequest,
    KillRequest, PauseRequest, PidsRequest, ResizePtyRequest, StartRequest, StateRequest,
    StatsRequest, Status, UpdateTaskRequest, WaitRequest,
};

cases![
    output_flows_on_when_its_readers_leave,
    a_client_that_leaves_takes_nothing_along,
    hundreds_of_processes_are_told_apart,
    frames_that_are_none_do_no_harm,
    calls_that_are_wrong_are_refused,
];

/// The shim's pid.
async fn shim(engine: &Engine) -> i32 {
    let request = ConnectRequest { id: engine.id.clone(), ..ConnectRequest::default() };
    engine.task.connect(patience(), &request).await.unwrap().shim_pid.try_into().unwrap()
}

async fn status(engine: &Engine) -> Status {
    let request = StateRequest { id: engine.id.clone(), ..StateRequest::default() };
    engine.task.state(patience(), &request).await.unwrap().status.unwrap()
}

/// Waits until the shim has no more descriptors open than that: what a client had goes a little
/// after the client.
async fn has_no_more_descriptors(shim: i32, than: usize) {
    let settled = async {
        while descriptors(shim) > than {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let settled = tokio::time::timeout(PATIENCE, settled).await;
    settled.unwrap_or_else(|_| panic!("{} descriptors, not {than}", descriptors(shim)));
}

/// As many numbers as a client reads before it leaves.
fn numbers(path: &str, count: usize) -> Vec<u64> {
    let lines = BufReader::new(File::open(path).unwrap()).lines();
    // The first may be the rest of a line that another client has begun.
    let lines = lines.skip(1).take(count);
    lines.map(|line| line.unwrap().parse().unwrap()).collect()
}

async fn output_flows_on_when_its_readers_leave(engine: &Engine) {
    let stdout = engine.fifo("out");
    let script = "i=1000000; while :; do i=$((i + 1)); echo $i; done";
    let request = CreateTaskRequest { stdout: stdout.clone(), ..engine.request(script) };
    engine.task.create(patience(), &request).await.unwrap();
    engine.run("").await;
    let shim = shim(engine).await;
    let before = descriptors(shim);
    let mut last = 0;
    for _ in 0..20 {
        let read = numbers(&stdout, 2000);
        assert!(read.is_sorted() && read[0] > last, "{} after {last}", read[0]);
        last = read[read.len() - 1];
        // Nobody reads at this moment, and the process waits.
        assert_eq!(status(engine).await, Status::RUNNING);
    }
    assert_eq!(descriptors(shim), before);
    engine.kill().await;
    engine.delete("").await;
}

async fn a_client_that_leaves_takes_nothing_along(engine: &Engine) {
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    let shim = shim(engine).await;
    let before = descriptors(shim);
    let start = StartRequest { id: engine.id.clone(), ..StartRequest::default() };
    let wait = WaitRequest { id: engine.id.clone(), ..WaitRequest::default() };
    for _ in 0..20 {
        // One that asks for something that takes its time, and does not stay for the answer.
        let mut client = engine.connect();
        client.write_all(&call(1, "Wait", wait.write_to_bytes().unwrap())).unwrap();
    }
    let mut client = engine.connect();
    client.write_all(&call(1, "Start", start.write_to_bytes().unwrap())).unwrap();
    drop(client);
    // It is carried out all the same.
    let started = async {
        while status(engine).await != Status::RUNNING {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, started).await.expect("it was started");
    engine.kill().await;
    has_no_more_descriptors(shim, before).await;
    engine.delete("").await;
}

/// Runs a process to its end and deletes it.
async fn execute(engine: &Engine, number: u32) {
    let exec_id = format!("e{number}");
    let expected = number % 256;
    let line = format!("exit {expected}");
    let process = serde_json::json!({ "args": ["/bin/sh", "-c", line], "cwd": "/" });
    let request = ExecProcessRequest {
        id: engine.id.clone(),
        exec_id: exec_id.clone(),
        spec: MessageField::some(Any { value: process.to_string().into(), ..Any::default() }),
        ..ExecProcessRequest::default()
    };
    engine.task.exec(patience(), &request).await.unwrap();
    let pid = engine.run(&exec_id).await;
    assert_eq!(engine.wait(&exec_id).await, expected, "{exec_id}");
    let deleted = engine.delete(&exec_id).await;
    assert_eq!((deleted.pid, deleted.exit_status), (pid, expected), "{exec_id}");
}

async fn hundreds_of_processes_are_told_apart(engine: &Engine) {
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    engine.run("").await;
    let shim = shim(engine).await;
    let mut first = None;
    for round in 0..12 {
        let [a, b, c, d, e] = [0, 5, 10, 15, 20].map(|offset| async move {
            for number in 0..5 {
                execute(engine, round * 25 + offset + number).await;
            }
        });
        tokio::join!(a, b, c, d, e);
        // What is made once was made by then.
        if round == 1 {
            first = Some((descriptors(shim), memory(shim)));
        }
    }
    let (descriptors_before, memory_before) = first.unwrap();
    has_no_more_descriptors(shim, descriptors_before).await;
    let memory = memory(shim);
    assert!(memory < memory_before + (1 << 20), "{memory} bytes, {memory_before} before");
    engine.kill().await;
    engine.delete("").await;
}

/// A frame of ttrpc: the length, the stream, the type and flags, then what is said.
fn frame(length: u32, stream: u32, kind: u8, payload: &[u8]) -> Vec<u8> {
    [&length.to_be_bytes()[..], &stream.to_be_bytes(), &[kind, 0], payload].concat()
}

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const DATA: u8 = 3;

fn request(service: &str, method: &str, payload: Vec<u8>) -> Request {
    Request {
        service: service.into(),
        method: method.into(),
        payload,
        timeout_nano: 0,
        ..Request::default()
    }
}

/// The frame of a call.
fn call(stream: u32, method: &str, payload: Vec<u8>) -> Vec<u8> {
    let text = request("containerd.task.v2.Task", method, payload).write_to_bytes().unwrap();
    frame(text.len().try_into().unwrap(), stream, REQUEST, &text)
}

async fn frames_that_are_none_do_no_harm(engine: &Engine) {
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    engine.run("").await;
    let shim = shim(engine).await;
    let before = descriptors(shim);
    let state = StateRequest { id: engine.id.clone(), ..StateRequest::default() };
    let state = state.write_to_bytes().unwrap();
    let garbage: Vec<u8> = (0..5000u32).map(|number| (number * 7919 % 251) as u8).collect();
    let whole = call(1, "State", state.clone());
    let five = u32::try_from(5 << 20).unwrap();
    let frames = [
        b"\n".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        garbage.clone(),
        // Less than is announced.
        whole[..5].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        frame(100, 1, REQUEST, b"ten bytes."),
        // More than is allowed, announced and sent.
        frame(u32::MAX, 1, REQUEST, &garbage),
        frame(five, 1, REQUEST, &vec![0; 5 << 20]),
        // No request at all.
        frame(5000, 1, REQUEST, &garbage),
        frame(0, 1, REQUEST, b""),
        // Streams and types that nobody has.
        frame(4, 2, REQUEST, b"even"),
        frame(4, 0, REQUEST, b"zero"),
        frame(4, 7, DATA, b"data"),
        frame(4, 1, RESPONSE, b"resp"),
        frame(4, 1, 99, b"what"),
        // The same stream again and again.
        [call(1, "Wait", state.clone()), call(1, "State", state.clone()), whole.clone()].concat(),
        call(1, "State", garbage),
        call(1, "State", state[..state.len() / 2].to_vec()),
        call(1, "NoSuchMethod", state),
    ];
    for frame in &frames {
        let mut client = engine.connect();
        // It may hang up before it has heard all.
        let _ = client.write_all(frame);
        assert_eq!(
            status(engine).await,
            Status::RUNNING,
            "after {:?}",
            &frame[..frame.len().min(20)]
        );
    }
    // Many at once, who all stay for a while.
    let mut clients: Vec<UnixStream> = (0..50).map(|_| engine.connect()).collect();
    for (client, frame) in clients.iter_mut().zip(frames.iter().cycle()) {
        client.set_nonblocking(true).unwrap();
        let _ = client.write_all(frame);
    }
    assert_eq!(status(engine).await, Status::RUNNING);
    drop(clients);
    // An answer comes to who asks properly afterwards, also on a connection of its own.
    let mut client = engine.connect();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(&whole).unwrap();
    let mut header = [0; 10];
    // The runtime of this test has one thread, and the shim is another process.
    client.read_exact(&mut header).unwrap();
    assert_eq!(header[4..9], [0, 0, 0, 1, RESPONSE]);
    drop(client);
    has_no_more_descriptors(shim, before).await;
    engine.kill().await;
    engine.delete("").await;
}

async fn calls_that_are_wrong_are_refused(engine: &Engine) {
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    engine.run("").await;
    let id = || engine.id.clone();
    let task = &engine.task;

    // Nobody's.
    let answer = engine.say(request("containerd.task.v2.Task", "Fly", Vec::new())).await;
    assert_eq!(code(answer), Code::UNIMPLEMENTED);
    let answer = engine.say(request("no.such.Service", "State", Vec::new())).await;
    assert_eq!(code(answer), Code::INVALID_ARGUMENT);
    // What cannot be read is no reason to end.
    let answer = engine.say(request("containerd.task.v2.Task", "State", vec![0xff; 100])).await;
    assert_ne!(code(answer), Code::OK);

    // Another container's.
    macro_rules! others {
        ($($call:ident($request:ident)),+) => {
            $(for other in ["", "other", "../other", "\0"] {
                let request = $request { id: other.into(), ..$request::default() };
                let told = code(task.$call(patience(), &request).await);
                assert_eq!(told, Code::NOT_FOUND, "{} {other:?}", stringify!($call));
            })+
        };
    }
    others!(
        state(StateRequest),
        start(StartRequest),
        exec(ExecProcessRequest),
        kill(KillRequest),
        delete(DeleteRequest),
        wait(WaitRequest),
        pids(PidsRequest),
        pause(PauseRequest),
        close_io(CloseIORequest),
        resize_pty(ResizePtyRequest),
        stats(StatsRequest),
        connect(ConnectRequest),
        update(UpdateTaskRequest)
    );
    let other = CreateTaskRequest { id: "other".into(), ..engine.request("true") };
    assert_eq!(code(task.create(patience(), &other).await), Code::INVALID_ARGUMENT);

    // A process that there is not.
    macro_rules! missing {
        ($($call:ident($request:ident)),+) => {
            $(let exec_id = "missing".into();
            let request = $request { id: id(), exec_id, ..$request::default() };
            let told = code(task.$call(patience(), &request).await);
            assert_eq!(told, Code::NOT_FOUND, stringify!($call));)+
        };
    }
    missing!(
        state(StateRequest),
        start(StartRequest),
        kill(KillRequest),
        delete(DeleteRequest),
        wait(WaitRequest),
        close_io(CloseIORequest),
        resize_pty(ResizePtyRequest)
    );

    // A process that there cannot be.
    let long = "[".repeat(100_000);
    for (exec_id, spec) in [
        ("", r#"{ "args": ["true"], "cwd": "/" }"#),
        ("e", ""),
        ("e", "null"),
        ("e", "{"),
        ("e", r#"{ "args": 1, "cwd": 2 }"#),
        ("e", &long),
        ("e", "\u{fffd}"),
    ] {
        let request = ExecProcessRequest {
            id: id(),
            exec_id: exec_id.into(),
            spec: MessageField::some(Any { value: spec.into(), ..Any::default() }),
            ..ExecProcessRequest::default()
        };
        let told = code(task.exec(patience(), &request).await);
        assert_eq!(told, Code::INVALID_ARGUMENT, "{exec_id:?} {:?}", &spec[..spec.len().min(30)]);
    }
    for signal in [0, 1000, u32::MAX] {
        let request = KillRequest { id: id(), signal, ..KillRequest::default() };
        assert_eq!(code(task.kill(patience(), &request).await), Code::INVALID_ARGUMENT, "{signal}");
    }
    assert_eq!(status(engine).await, Status::RUNNING);
    engine.kill().await;
    engine.delete("").await;
}
