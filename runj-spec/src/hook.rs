//! A program that runs at a point of a container's life.

use std::num::NonZeroU32;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, absolute_path, c_string, environment_entry, integer};

/// A program that runs at a point of a container's life (an entry of OCI `hooks`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hook {
    /// The program: an absolute path.
    pub path: String,
    /// Its arguments, with the name that it is called by as the first. May be empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Its environment, each entry `NAME=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// After how many seconds it is ended, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<NonZeroU32>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Hook {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let path = fields.required("path", "the absolute path of a program", absolute_path);
        let args = fields.list("args", "a list of strings", c_string);
        let env = fields.list("env", "a list of strings such as \"NAME=value\"", environment_entry);
        let timeout =
            fields.optional("timeout", integer(1..=u64::from(u32::MAX))).and_then(NonZeroU32::new);
        Ok(Self { path: path?, args, env, timeout, extra: fields.rest() })
    }
}
