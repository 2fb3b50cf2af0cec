//! containerd's task service, one file a call.

mod close_io;
mod connect;
mod create;
mod delete;
mod exec;
mod kill;
mod pause;
mod pids;
mod resize_pty;
mod shutdown;
mod start;
mod state;
mod stats;
mod unsupported;
mod update;
mod wait;
mod watch;

#[cfg(any(fuzzing, test))]
pub(crate) use self::exec::described;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use protobuf::well_known_types::empty::Empty;
use ttrpc::r#async::TtrpcContext;

use crate::error::{Error, whole};
use crate::rpc::task::{
    CheckpointTaskRequest, CloseIORequest, ConnectRequest, ConnectResponse, CreateTaskRequest,
    CreateTaskResponse, DeleteRequest, DeleteResponse, ExecProcessRequest, KillRequest,
    PauseRequest, PidsRequest, PidsResponse, ResizePtyRequest, ResumeRequest, ShutdownRequest,
    StartRequest, StartResponse, StateRequest, StateResponse, StatsRequest, StatsResponse,
    UpdateTaskRequest, WaitRequest, WaitResponse,
};
use crate::rpc::task_ttrpc::{self, create_task};
use crate::shim::Shim;

/// The service, for the server.
pub(crate) struct Service {
    shim: Arc<Shim>,
}

impl Service {
    /// The methods by both names that containerd has for the service.
    pub(crate) fn methods(shim: &Arc<Shim>) -> HashMap<String, ttrpc::r#async::Service> {
        let service = || create_task(Arc::new(Self { shim: Arc::clone(shim) }));
        let mut methods = service();
        methods.extend(
            service().into_values().map(|methods| ("containerd.task.v2.Task".into(), methods)),
        );
        methods
    }
}

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty),+ $(,)?) => {
        #[async_trait]
        impl task_ttrpc::Task for Service {
            $(async fn $call(
                &self,
                _: &TtrpcContext,
                request: $request,
            ) -> ttrpc::Result<$response> {
                let shim = Arc::clone(&self.shim);
                carried_out(stringify!($call), async move {
                    shim.hear();
                    let answer = shim.$call(request).await;
                    // Whoever waited for it may have more to ask.
                    shim.hear();
                    answer
                }).await
            })+
        }
    };
}

calls! {
    create(CreateTaskRequest) -> CreateTaskResponse,
    start(StartRequest) -> StartResponse,
    exec(ExecProcessRequest) -> Empty,
    state(StateRequest) -> StateResponse,
    wait(WaitRequest) -> WaitResponse,
    kill(KillRequest) -> Empty,
    delete(DeleteRequest) -> DeleteResponse,
    pids(PidsRequest) -> PidsResponse,
    pause(PauseRequest) -> Empty,
    resume(ResumeRequest) -> Empty,
    close_io(CloseIORequest) -> Empty,
    resize_pty(ResizePtyRequest) -> Empty,
    stats(StatsRequest) -> StatsResponse,
    connect(ConnectRequest) -> ConnectResponse,
    shutdown(ShutdownRequest) -> Empty,
    checkpoint(CheckpointTaskRequest) -> Empty,
    update(UpdateTaskRequest) -> Empty,
}

/// Carries a call out to its end. By itself it would be dropped half-way when its caller leaves:
/// containerd may be restarted at any time.
async fn carried_out<T: Send + 'static>(
    call: &'static str,
    doing: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> ttrpc::Result<T> {
    let done = tokio::spawn(doing).await;
    let done = done.unwrap_or_else(|error| Err(Error::io(call)(std::io::Error::other(error))));
    done.map_err(|error| {
        tracing::debug!("{call}: {}", whole(&error));
        error.into()
    })
}
