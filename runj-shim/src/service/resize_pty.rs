//! ResizePty: a process's terminal has another size.

use protobuf::well_known_types::empty::Empty;

use crate::error::Error;
use crate::rpc::task::ResizePtyRequest;
use crate::shim::Shim;

impl Shim {
    pub(super) async fn resize_pty(&self, request: ResizePtyRequest) -> Result<Empty, Error> {
        let process = self.task(&request.id)?.process(&request.exec_id)?;
        process.resize(request.width, request.height)?;
        Ok(Empty::new())
    }
}
