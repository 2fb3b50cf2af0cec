//! What of `runj.ext.json` is not known. It is ignored, so that a misspelt setting would have no
//! effect and no message.

use runj_spec::Extension;
use serde_json::{Map, Value};

/// A line for each property that its JSON Schema does not have. Those called `//` are comments.
pub(super) fn properties(extension: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    walk(extension, &Extension::json_schema(), "", &mut lines);
    lines
}

fn walk(value: &Value, schema: &Value, path: &str, lines: &mut Vec<String>) {
    match (value, schema.get("properties"), schema.get("items")) {
        (Value::Object(object), Some(Value::Object(known)), _) => {
            object.iter().for_each(|(key, value)| property(key, value, known, path, lines));
        }
        (Value::Array(list), _, Some(items)) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, items, &format!("{path}[{index}]"), lines);
            }
        }
        _ => {}
    }
}

fn property(
    key: &str,
    value: &Value,
    known: &Map<String, Value>,
    path: &str,
    lines: &mut Vec<String>,
) {
    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match known.get(key) {
        Some(schema) => walk(value, schema, &path, lines),
        None if key == "//" => {}
        None => {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            let (file, names) = (Extension::FILE_NAME, names.join(", "));
            lines.push(format!("{file}: {path}: not known, and ignored: known are {names}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_not_known_is_told() {
        let written = json!({
            "//": "a comment",
            "$schema": "runj.ext.schema.json",
            "network": { "ipv4": { "mode": "inherit", "addrs": [] }, "//": 1 },
            "netwrok": { "ipv4": {} }
        });
        let lines = properties(&written);
        assert_eq!(lines.len(), 2, "{lines:?}");
        let addr = "runj.ext.json: network.ipv4.addrs: not known, and ignored: known are ";
        assert!(lines.iter().any(|line| line.starts_with(addr)), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("runj.ext.json: netwrok: not known")));
        assert_eq!(properties(&json!(7)), [""; 0]);
    }
}
