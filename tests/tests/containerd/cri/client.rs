//! A client of CRI, as the kubelet is one: gRPC over containerd's socket.

use std::path::Path;

use prost::Message;
use runj_tests::DEADLINE;
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

/// A connection, which is made anew by itself when containerd was away.
pub(crate) struct Client {
    runtime: Runtime,
    channel: Channel,
}

impl Client {
    pub(crate) fn new(socket: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint::try_from(format!("unix:{}", socket.display())).unwrap();
        let channel = {
            // The connection is a task.
            let _guard = runtime.enter();
            endpoint.timeout(DEADLINE).connect_lazy()
        };
        Self { runtime, channel }
    }

    /// Calls a method of `runtime.v1.RuntimeService`.
    pub(crate) fn call<Q, A>(&self, method: &str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = format!("/runtime.v1.RuntimeService/{method}");
        let path = PathAndQuery::try_from(path).unwrap();
        let mut client = Grpc::new(self.channel.clone());
        self.runtime.block_on(async {
            let ready = client.ready().await;
            ready.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec = ProstCodec::<Q, A>::default();
            Ok(client.unary(Request::new(request), path, codec).await?.into_inner())
        })
    }
}
