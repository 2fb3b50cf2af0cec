//! CloseIO: a process's standard input may end.

use protobuf::well_known_types::empty::Empty;

use crate::error::Error;
use crate::rpc::task::CloseIORequest;
use crate::shim::Shim;

impl Shim {
    pub(super) async fn close_io(&self, request: CloseIORequest) -> Result<Empty, Error> {
        let process = self.task(&request.id)?.process(&request.exec_id)?;
        if request.stdin {
            process.close_stdin();
        }
        Ok(Empty::new())
    }
}
