//! The file beside config.json that completes it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, document};
use crate::serialize::is_default;
use crate::{Error, Network};

/// runj.ext.json as it is written: what the writer of config.json could not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Extension {
    /// The network of the container.
    #[serde(skip_serializing_if = "is_default")]
    pub network: Network,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Extension {
    /// The name of the file in a bundle.
    pub const FILE_NAME: &'static str = "runj.ext.json";

    /// Parses runj.ext.json. `file` is what error messages call the text.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] if the text is not JSON, [`Error::Invalid`] with all that is wrong in it
    /// otherwise.
    pub fn parse(text: &[u8], file: &str) -> Result<Self, Error> {
        document(text, file, Self::decode)
    }

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            network: fields.optional("network", Network::decode).unwrap_or_default(),
            extra: fields.rest(),
        })
    }
}
