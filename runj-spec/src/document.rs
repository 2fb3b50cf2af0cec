//! From the text of a document to a JSON value.

use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Error;
use crate::quote::quote_text;

/// Parses `text`, which messages call `file`.
///
/// Unlike `serde_json::from_slice::<Value>` it refuses an object that has one property twice: one
/// of the two values would be dropped without a word.
pub(crate) fn parse(text: &[u8], file: &str) -> Result<Value, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Unambiguous
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| syntax(file, &error))
}

/// serde_json's error, with the place in front and the bound of the depth named.
fn syntax(file: &str, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let message = match message {
        // serde_json's own limit, which it offers no constant for.
        "recursion limit exceeded" => "nested too deeply: expected at most 127 levels",
        message => message,
    };
    Error::Syntax { file: file.to_owned(), line, column, message: message.to_owned() }
}

/// Builds a [`Value`] whose objects have every property once.
#[derive(Clone, Copy)]
struct Unambiguous;

impl<'de> DeserializeSeed<'de> for Unambiguous {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(self)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut properties = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let value = object.next_value_seed(self)?;
            if properties.contains_key(&key) {
                return Err(A::Error::custom(format!("property {} given twice", quote_text(&key))));
            }
            properties.insert(key, value);
        }
        Ok(Value::Object(properties))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text.as_bytes(), "config.json").unwrap_err().to_string()
    }

    #[test]
    fn bad_json_is_named_by_line_and_column() {
        assert_eq!(
            message("{\n  \"a\": 1,\n  oops\n}"),
            "config.json: line 3, column 3: key must be a string"
        );
        assert_eq!(message(""), "config.json: line 1, column 0: EOF while parsing a value");
        assert_eq!(message("{} {}"), "config.json: line 1, column 4: trailing characters");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let error = parse(b"{\"a\": \"\xff\"}", "config.json").unwrap_err();
        assert_eq!(error.to_string(), "config.json: line 1, column 8: invalid unicode code point");
    }

    #[test]
    fn a_property_given_twice_is_refused() {
        assert_eq!(
            message("{\"a\": {\"b\": 1,\n\"b\": 1}}"),
            "config.json: line 2, column 7: property \"b\" given twice"
        );
    }

    #[test]
    fn the_depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(127).as_bytes(), "f").is_ok());
        assert_eq!(
            message(&nested(128)),
            "config.json: line 1, column 128: nested too deeply: expected at most 127 levels"
        );
        assert!(message(&nested(1_000_000)).contains("127 levels"));
    }

    #[test]
    fn values_are_what_serde_json_makes_of_them() {
        let text = r#"{"a": [1, -1, 1.5, true, null, "x\u00e4", {}], "b": 18446744073709551615}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes(), "f").unwrap(), expected);
    }
}
