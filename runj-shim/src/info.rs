//! What the program says of itself.

use std::io::Write as _;

use protobuf::{Message as _, MessageField};

use crate::error::Error;
use crate::rpc::runtime_info::{RuntimeInfo, RuntimeVersion};

/// The runtime's name, as in `ctr run --runtime`.
const NAME: &str = "wtf.sbk.runj.v1";

/// Writes containerd's RuntimeInfo to standard output.
pub(crate) fn run() -> Result<(), Error> {
    let version =
        RuntimeVersion { version: env!("CARGO_PKG_VERSION").into(), ..RuntimeVersion::default() };
    let info = RuntimeInfo {
        name: NAME.into(),
        version: MessageField::some(version),
        ..RuntimeInfo::default()
    };
    info.write_to_writer(&mut std::io::stdout())
        .map_err(|error| Error::io("standard output")(std::io::Error::other(error)))
}

/// Says it to a person.
pub(crate) fn version() -> Result<(), Error> {
    writeln!(std::io::stdout(), "containerd-shim-runj-v1 {}", env!("CARGO_PKG_VERSION"))
        .map_err(Error::io("standard output"))
}
