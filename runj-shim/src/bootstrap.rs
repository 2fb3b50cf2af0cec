//! What containerd and `start` say to each other through standard input and output.

use std::path::PathBuf;

use protobuf::Message as _;

use crate::error::Error;
use crate::flags::Flags;
use crate::rpc::bootstrap::{BootstrapParams, BootstrapResult};

/// The most that containerd is listened to, in bytes. Options are a few lines.
pub(crate) const LIMIT: u64 = 4 << 20;

/// What containerd wants of a new shim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// In which form the answer is expected.
    form: Form,
    /// Where events go.
    pub(crate) ttrpc_address: Option<String>,
    /// Where the shim's socket is to be.
    pub(crate) socket_directory: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    /// Up to containerd 2.2, which gives the runtime's options, of which Create knows as well.
    Address,
    /// From 2.3 on.
    Protobuf,
}

impl Request {
    /// Understands what came on standard input.
    ///
    /// What containerd 2.3 sends is known by naming the same container as the flags; anything else
    /// would not, even if its bytes could be read as such.
    pub(crate) fn parse(input: &[u8], flags: &Flags) -> Self {
        match BootstrapParams::parse_from_bytes(input) {
            Ok(params) if params.id == flags.id && params.namespace == flags.namespace => Self {
                form: Form::Protobuf,
                // containerd says a path; by its documentation it may be a URI.
                ttrpc_address: filled(params.ttrpc_address)
                    .map(|address| address.trim_start_matches("unix://").to_owned()),
                socket_directory: filled(params.socket_dir).map(PathBuf::from),
            },
            _ => Self { form: Form::Address, ttrpc_address: None, socket_directory: None },
        }
    }

    /// What containerd is to be told: version 2 of the task service, which every containerd has,
    /// and which a mere address means. 1.6 and 1.7 understand nothing else.
    ///
    /// Version 3 would promise more than calls of another name: for a pod, containerd would then
    /// ask the shim of the pod's own container for the others, too (`ShimManager.Start` in
    /// containerd's core/runtime/v2/shim_manager.go). A shim of runj's has one container.
    pub(crate) fn answer(&self, address: &str) -> Result<Vec<u8>, Error> {
        match self.form {
            Form::Address => Ok(address.as_bytes().to_vec()),
            Form::Protobuf => {
                let result = BootstrapResult {
                    version: 2,
                    address: address.to_owned(),
                    protocol: "ttrpc".into(),
                    ..BootstrapResult::default()
                };
                let unwritable = |error| {
                    Error::io("BootstrapResult")(std::io::Error::other::<protobuf::Error>(error))
                };
                result.write_to_bytes().map_err(unwritable)
            }
        }
    }
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flags() -> Flags {
        let line = ["-namespace", "ns", "-id", "c1", "start"];
        Flags::parse(line.map(Into::into)).unwrap()
    }

    #[test]
    fn old_containerds_get_an_address() {
        // The options of `ctr run --runtime-config-path /e`, as 1.6 to 2.1 send them.
        let options = b"\x0a\x19runtimeoptions.v1.Options\x12\x04\x12\x02/e";
        for input in [&b""[..], options] {
            let request = Request::parse(input, &flags());
            assert_eq!(request.answer("unix:///a").unwrap(), b"unix:///a");
        }
    }

    #[test]
    fn new_ones_get_a_message() {
        let params = BootstrapParams {
            id: "c1".into(),
            namespace: "ns".into(),
            ttrpc_address: "/e.ttrpc".into(),
            socket_dir: "/s".into(),
            ..BootstrapParams::default()
        };
        let request = Request::parse(&params.write_to_bytes().unwrap(), &flags());
        assert_eq!(request.ttrpc_address.as_deref(), Some("/e.ttrpc"));
        assert_eq!(request.socket_directory, Some("/s".into()));
        assert_eq!(request.answer("a").unwrap(), b"\x08\x02\x12\x01a\x1a\x05ttrpc");
        let uri = BootstrapParams { ttrpc_address: "unix:///e.ttrpc".into(), ..params.clone() };
        let request = Request::parse(&uri.write_to_bytes().unwrap(), &flags());
        assert_eq!(request.ttrpc_address.as_deref(), Some("/e.ttrpc"));

        let other = BootstrapParams { id: "c2".into(), ..params };
        let request = Request::parse(&other.write_to_bytes().unwrap(), &flags());
        assert_eq!(request.answer("a").unwrap(), b"a");
    }

    proptest! {
        #[test]
        fn no_input_makes_start_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
            Request::parse(&input, &flags());
        }
    }
}
