//! What runj.ext.json is made of: one table for each object, from which its type, its decoder and
//! its part of the JSON Schema come.

use serde_json::{Map, Value, json};

use crate::checked::Checked;
use crate::decode::{Decoded, Reader, checked};

/// The type of a property. One that is not given has its default.
pub(crate) trait Property: Sized + Default {
    /// Reads the property's value.
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self>;

    /// What the value may be, as a JSON Schema. Whoever it accepts, [`decode`](Self::decode) accepts,
    /// but for what JSON Schema cannot say. The reverse need not hold: of several ways to write the
    /// same, it shows the best.
    fn schema() -> Value;
}

/// A text of a certain form, or one word of a few.
pub(crate) trait Text: Checked {
    /// What the text may be, as a JSON Schema.
    fn schema() -> Value;
}

impl<T: Text> Property for Option<T> {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        checked(reader, value).map(Some)
    }

    fn schema() -> Value {
        T::schema()
    }
}

/// Defines an object of runj.ext.json. Each line of the table has the property, the field that
/// holds it, and the field's type, a [`Property`]. The documentation comments are those of the type
/// and the descriptions of the schema.
macro_rules! object {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident $(<$parameter:ident: $bound:path>)? {
            $($(#[doc = $doc:literal])+ $key:literal => $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $name $(<$parameter: $bound>)? {
            $(
                $(#[doc = $doc])+
                #[serde(rename = $key, skip_serializing_if = "crate::serialize::is_default")]
                pub $field: $type,
            )+
            /// The properties that this crate does not know.
            #[serde(flatten)]
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl $(<$parameter: $bound>)? Default for $name $(<$parameter>)? {
            fn default() -> Self {
                Self { $($field: Default::default(),)+ extra: serde_json::Map::new() }
            }
        }

        impl $(<$parameter: $bound>)? $crate::schema::Property for $name $(<$parameter>)? {
            fn decode(
                reader: &mut $crate::decode::Reader<'_>,
                value: serde_json::Value,
            ) -> $crate::decode::Decoded<Self> {
                let mut fields = reader.object(value)?;
                Ok(Self { $($field: fields.property($key),)+ extra: fields.rest() })
            }

            fn schema() -> serde_json::Value {
                $crate::schema::object_schema(
                    &[$($about),+],
                    [$((
                        $key,
                        $crate::schema::described(
                            &[$($doc),+],
                            <$type as $crate::schema::Property>::schema(),
                        ),
                    )),+],
                )
            }
        }
    };
}
pub(crate) use object;

/// The schema of an object. A property that runj does not know is ignored when it is read, but
/// whoever writes one wants to be told: it is most likely misspelt.
pub(crate) fn object_schema<const N: usize>(
    about: &[&str],
    properties: [(&str, Value); N],
) -> Value {
    let properties: Map<String, Value> =
        properties.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    let schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    described(about, schema)
}

/// `schema` with the lines of a documentation comment as its description, in place of any that it
/// has.
pub(crate) fn described(lines: &[&str], schema: Value) -> Value {
    let mut described = Map::new();
    described.insert("description".to_owned(), paragraph(lines).into());
    if let Value::Object(schema) = schema {
        described.extend(schema.into_iter().filter(|(key, _)| key != "description"));
    }
    Value::Object(described)
}

/// A documentation comment as running text.
fn paragraph(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The schema of a list in which nothing stands twice.
pub(crate) fn set_of(element: Value) -> Value {
    json!({ "type": "array", "items": element, "uniqueItems": true })
}

/// The schema of one of a few words, each with the lines of its documentation comment.
pub(crate) fn word(words: &[(&str, &[&str])]) -> Value {
    let word =
        |(word, lines): &(&str, &[&str])| json!({ "const": word, "description": paragraph(lines) });
    json!({ "oneOf": words.iter().map(word).collect::<Vec<_>>() })
}
