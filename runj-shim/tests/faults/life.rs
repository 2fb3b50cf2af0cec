//! A container's life as containerd asks for it, with a call of every kind that does something.

use protobuf::MessageField;
use protobuf::well_known_types::any::Any;

use crate::engine::{Engine, patience};
use crate::rpc::task::{
    DeleteRequest, ExecProcessRequest, KillRequest, PauseRequest, ResumeRequest, ShutdownRequest,
    StartRequest, StatsRequest, UpdateTaskRequest, WaitRequest,
};

/// Lives it up to the first call that fails.
pub(crate) async fn live(engine: &Engine) -> ttrpc::Result<()> {
    const RESOURCES: &str = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
    let (task, id) = (&engine.task, || engine.id.clone());
    run(engine).await?;
    let any = |type_url: &str, value: &str| {
        MessageField::some(Any { type_url: type_url.into(), value: value.into(), ..Any::default() })
    };
    let spec = any("", r#"{ "args": ["/bin/sleep", "1000"], "cwd": "/" }"#);
    let exec_id = "e".to_owned();
    let exec = ExecProcessRequest { id: id(), exec_id, spec, ..ExecProcessRequest::default() };
    task.exec(patience(), &exec).await?;
    start(engine, "e").await?;
    let pause = PauseRequest { id: id(), ..PauseRequest::default() };
    task.pause(patience(), &pause).await?;
    let resume = ResumeRequest { id: id(), ..ResumeRequest::default() };
    task.resume(patience(), &resume).await?;
    let resources = any(RESOURCES, "{}");
    let update = UpdateTaskRequest { id: id(), resources, ..UpdateTaskRequest::default() };
    task.update(patience(), &update).await?;
    let stats = StatsRequest { id: id(), ..StatsRequest::default() };
    task.stats(patience(), &stats).await?;
    end(engine, "e").await?;
    end(engine, "").await
}

/// Creates the container and starts it.
pub(crate) async fn run(engine: &Engine) -> ttrpc::Result<()> {
    engine.task.create(patience(), &engine.request("sleep 1000")).await?;
    start(engine, "").await
}

/// Does what a client does to a container of which a call has failed.
pub(crate) async fn tidy(engine: &Engine) -> ttrpc::Result<()> {
    match end(engine, "").await {
        // There is none.
        Err(ttrpc::Error::RpcStatus(status)) if status.code() == ttrpc::Code::NOT_FOUND => Ok(()),
        ended => ended,
    }
}

/// Has the shim end.
pub(crate) async fn shut_down(engine: &Engine) {
    let request = ShutdownRequest { id: engine.id.clone(), ..ShutdownRequest::default() };
    // One that was killed has ended.
    let _ = engine.task.shutdown(patience(), &request).await;
}

async fn start(engine: &Engine, exec_id: &str) -> ttrpc::Result<()> {
    let (id, exec_id) = (engine.id.clone(), exec_id.to_owned());
    let request = StartRequest { id, exec_id, ..StartRequest::default() };
    engine.task.start(patience(), &request).await.map(drop)
}

/// Kills a process, waits for it and deletes it.
async fn end(engine: &Engine, exec_id: &str) -> ttrpc::Result<()> {
    let (id, exec_id) = (|| engine.id.clone(), || exec_id.to_owned());
    let request = KillRequest { id: id(), exec_id: exec_id(), signal: 9, ..KillRequest::default() };
    match engine.task.kill(patience(), &request).await {
        // It has ended, or there is none.
        Err(ttrpc::Error::RpcStatus(status)) if status.code() == ttrpc::Code::NOT_FOUND => {}
        killed => drop(killed?),
    }
    let request = WaitRequest { id: id(), exec_id: exec_id(), ..WaitRequest::default() };
    engine.task.wait(patience(), &request).await?;
    let request = DeleteRequest { id: id(), exec_id: exec_id(), ..DeleteRequest::default() };
    engine.task.delete(patience(), &request).await.map(drop)
}
