//! The size of a terminal.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, integer};

/// The size of the terminal of a process in characters (OCI `process.consoleSize`), in the range of
/// tty(4)'s `struct winsize`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConsoleSize {
    /// The number of rows.
    pub height: u16,
    /// The number of columns.
    pub width: u16,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ConsoleSize {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let side = integer(0..=u64::from(u16::MAX));
        let height = fields.required("height", "a number of rows", side.clone());
        let width = fields.required("width", "a number of columns", side);
        Ok(Self { height: height?, width: width?, extra: fields.rest() })
    }
}
