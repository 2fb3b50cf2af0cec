//! What a container may use, and that it can be paused.

use std::time::Duration;

use protobuf::well_known_types::any::Any;
use protobuf::{Message as _, MessageField};
use serde_json::json;
use ttrpc::Code;

use crate::cases::{cases, code};
use crate::engine::{Engine, PATIENCE, patience};
use crate::rpc::metrics::Metrics;
use crate::rpc::task::{
    PauseRequest, ResumeRequest, StateRequest, StatsRequest, Status, UpdateTaskRequest,
};

cases![what_it_uses_is_told, it_can_be_limited, it_can_be_paused];

async fn metrics(engine: &Engine) -> Metrics {
    let request = StatsRequest { id: engine.id.clone(), ..StatsRequest::default() };
    let stats = engine.task.stats(patience(), &request).await.unwrap().stats;
    assert_eq!(stats.type_url, "io.containerd.cgroups.v1.Metrics");
    Metrics::parse_from_bytes(&stats.value).unwrap()
}

async fn what_it_uses_is_told(engine: &Engine) {
    engine.task.create(patience(), &engine.request("while :; do :; done")).await.unwrap();
    assert_eq!(metrics(engine).await.pids.current, 1);
    engine.run("").await;
    let busy = async {
        loop {
            let metrics = metrics(engine).await;
            if metrics.cpu.usage.total > 50_000_000 {
                return metrics;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let metrics = tokio::time::timeout(PATIENCE, busy).await.expect("time of the processor");
    assert!(metrics.cpu.usage.total >= metrics.cpu.usage.user + metrics.cpu.usage.kernel);
    assert!(metrics.memory.usage.usage > 4096 && metrics.pids.current == 1, "{metrics:?}");
    assert_eq!((metrics.memory.usage.limit, metrics.pids.limit), (0, 0));
    engine.kill().await;
}

fn resources(engine: &Engine, type_url: &str, value: serde_json::Value) -> UpdateTaskRequest {
    let value = value.to_string().into_bytes();
    UpdateTaskRequest {
        id: engine.id.clone(),
        resources: MessageField::some(Any { type_url: type_url.into(), value, ..Any::default() }),
        ..UpdateTaskRequest::default()
    }
}

async fn it_can_be_limited(engine: &Engine) {
    const RESOURCES: &str = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    engine.run("").await;
    let update = |value| {
        let request = resources(engine, RESOURCES, value);
        async move { code(engine.task.update(patience(), &request).await) }
    };
    let limits = json!({ "memory": { "limit": 1 << 30 }, "pids": { "limit": 99 } });
    assert_eq!(update(limits).await, Code::OK);
    let metrics = metrics(engine).await;
    assert_eq!((metrics.memory.usage.limit, metrics.pids.limit), (1 << 30, 99));
    assert_eq!(update(json!({ "pids": { "limit": -1 } })).await, Code::OK);
    assert_eq!(self::metrics(engine).await.pids.limit, 0);

    assert_eq!(update(json!({ "pids": { "limit": "x" } })).await, Code::INVALID_ARGUMENT);
    let windows = resources(engine, "types.containerd.io/…/WindowsResources", json!({}));
    let refused = code(engine.task.update(patience(), &windows).await);
    assert_eq!(refused, Code::INVALID_ARGUMENT);
    engine.kill().await;
    assert_eq!(update(json!({})).await, Code::FAILED_PRECONDITION);
}

async fn it_can_be_paused(engine: &Engine) {
    engine.task.create(patience(), &engine.request("sleep 1000")).await.unwrap();
    engine.run("").await;
    let status = async || {
        let request = StateRequest { id: engine.id.clone(), ..StateRequest::default() };
        let state = engine.task.state(patience(), &request).await.unwrap();
        state.status.enum_value().unwrap()
    };
    let pause = PauseRequest { id: engine.id.clone(), ..PauseRequest::default() };
    let resume = ResumeRequest { id: engine.id.clone(), ..ResumeRequest::default() };
    assert_eq!(code(engine.task.resume(patience(), &resume).await), Code::FAILED_PRECONDITION);
    engine.task.pause(patience(), &pause).await.unwrap();
    assert_eq!(status().await, Status::PAUSED);
    assert_eq!(code(engine.task.pause(patience(), &pause).await), Code::FAILED_PRECONDITION);
    engine.task.resume(patience(), &resume).await.unwrap();
    assert_eq!(status().await, Status::RUNNING);
    // It does not take containerd to do so.
    engine.runj("pause");
    assert_eq!(status().await, Status::PAUSED);
    assert_eq!(code(engine.task.pause(patience(), &pause).await), Code::FAILED_PRECONDITION);
    engine.task.resume(patience(), &resume).await.unwrap();
    engine.task.pause(patience(), &pause).await.unwrap();
    engine.runj("resume");
    assert_eq!(status().await, Status::RUNNING);
    engine.task.pause(patience(), &pause).await.unwrap();
    // Paused, it can be killed.
    engine.kill().await;
    let switched = ["paused", "resumed", "resumed", "paused", "paused"];
    let expected = [&["create", "start"][..], &switched, &["exit"]].concat();
    assert_eq!(engine.topics()[..expected.len()], expected);
}
