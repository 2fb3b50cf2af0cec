//! The file beside config.json that completes it.

use serde_json::{Value, json};

use crate::decode::{document, trace};
use crate::schema::{Property, object};
use crate::{Error, ExtensionNetwork, Ignored, RctlRule, SchemaReference};

object! {
    /// runj.ext.json: what the writer of config.json could not say.
    pub struct Extension {
        /// Where this file's JSON Schema is, for editors. runj does not read it.
        "$schema" => schema: Option<SchemaReference>,
        /// The network of the container.
        "network" => network: ExtensionNetwork,
        /// Rules about what the container may use, as rctl(8) has them behind the subject, such as
        /// "memoryuse:deny=512m". They come before the limits of config.json.
        "rctl" => rctl: Vec<RctlRule>,
    }
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

    /// The properties of a runj.ext.json that is `document` of which nothing is made. Beside a wrong
    /// value some may be missing.
    #[must_use]
    pub fn ignored(document: Value) -> Vec<Ignored> {
        trace(document, Self::FILE_NAME, Self::decode).ignored
    }

    /// The [JSON Schema](https://json-schema.org/draft-07) of runj.ext.json.
    ///
    /// What it accepts, [`parse`](Self::parse) accepts, save for addresses that are listed twice in
    /// different words. `parse` accepts more: `null` for what is not given, properties that are not
    /// known, a text for a list of one, and the names of interfaces that have more than ASCII in
    /// them.
    #[must_use]
    pub fn json_schema() -> Value {
        let mut schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": Self::FILE_NAME,
        });
        if let (Value::Object(schema), Value::Object(object)) = (&mut schema, Self::schema()) {
            schema.extend(object);
        }
        schema
    }
}
