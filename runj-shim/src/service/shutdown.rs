//! Shutdown: the shim ends.

use std::time::Duration;

use protobuf::well_known_types::empty::Empty;

use crate::error::Error;
use crate::rpc::task::ShutdownRequest;
use crate::shim::Shim;

/// How long containerd may take to accept the last events. It waits three seconds for us.
const PATIENCE: Duration = Duration::from_secs(2);

impl Shim {
    pub(super) async fn shutdown(&self, _: ShutdownRequest) -> Result<Empty, Error> {
        // Asked too early, it is for nothing, as with containerd's own shims.
        if self.slot().is_none() {
            self.events.flush(PATIENCE).await;
            self.end.notify_one();
        }
        Ok(Empty::new())
    }
}
