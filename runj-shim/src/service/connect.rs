//! Connect: who serves, and what.

use crate::error::Error;
use crate::rpc::task::{ConnectRequest, ConnectResponse};
use crate::shim::Shim;

impl Shim {
    pub(super) async fn connect(&self, request: ConnectRequest) -> Result<ConnectResponse, Error> {
        let task = self.task(&request.id)?;
        Ok(ConnectResponse {
            shim_pid: std::process::id(),
            task_pid: task.init.state().raw_pid(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..ConnectResponse::default()
        })
    }
}
