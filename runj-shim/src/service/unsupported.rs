//! What runj has nothing for. containerd is told so.

use protobuf::well_known_types::empty::Empty;

use crate::error::Error;
use crate::rpc::task::CheckpointTaskRequest;
use crate::shim::Shim;

impl Shim {
    pub(super) async fn checkpoint(&self, _: CheckpointTaskRequest) -> Result<Empty, Error> {
        Err(Error::Unsupported("Checkpoint"))
    }
}
