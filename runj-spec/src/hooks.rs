//! The programs that run at the points of a container's life.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Hook;
use crate::decode::{Decoded, Reader};

/// The programs that run at the points of a container's life, each list in order (OCI `hooks`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hooks {
    /// Before [`create_runtime`](Self::create_runtime), on the host. Deprecated by the
    /// specification.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prestart: Vec<Hook>,
    /// At create, once the container's environment exists, on the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create_runtime: Vec<Hook>,
    /// At create, after [`create_runtime`](Self::create_runtime), in the container's environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create_container: Vec<Hook>,
    /// At start, before the process, in the container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub start_container: Vec<Hook>,
    /// After the process was started, on the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub poststart: Vec<Hook>,
    /// After the container was deleted, on the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub poststop: Vec<Hook>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Hooks {
    /// The kinds of hooks, in the order in which they run.
    pub const NAMES: [&'static str; 6] =
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let [prestart, create_runtime, create_container, start_container, poststart, poststop] =
            Self::NAMES.map(|kind| fields.list(kind, "a list of objects", Hook::decode));
        Ok(Self {
            prestart,
            create_runtime,
            create_container,
            start_container,
            poststart,
            poststop,
            extra: fields.rest(),
        })
    }
}
