//! A document's word on where its JSON Schema is.

use serde_json::{Value, json};

use crate::checked::{Checked, checked_string};
use crate::schema::Text;

/// Where a document's JSON Schema is: the URI or the relative path that editors look at. Any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaReference(String);

checked_string!(SchemaReference);

impl Checked for SchemaReference {
    fn expected() -> String {
        "the URI of a JSON Schema".to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

impl Text for SchemaReference {
    fn schema() -> Value {
        json!({ "type": "string", "format": "uri-reference" })
    }
}
