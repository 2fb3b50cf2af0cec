//! Wait: how a process ended, once it has.

use crate::error::Error;
use crate::rpc::task::{WaitRequest, WaitResponse};
use crate::shim::Shim;

impl Shim {
    pub(super) async fn wait(&self, request: WaitRequest) -> Result<WaitResponse, Error> {
        let exit = self.task(&request.id)?.process(&request.exec_id)?.end().await;
        Ok(WaitResponse {
            exit_status: exit.status,
            exited_at: exit.time(),
            ..WaitResponse::default()
        })
    }
}
