//! A merged configuration as a list of values.

use runj_spec::{Config, Ignored};
use serde_json::Value;

/// One value of the merged configuration.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// Where it stands in the merged configuration.
    pub(super) path: String,
    pub(super) value: Value,
    /// Where it was given; nothing if it is a default.
    pub(super) origin: Option<String>,
    /// Nothing is made of it.
    pub(super) ignored: bool,
}

/// The values of a merged configuration. `given` is config.json as it is written, in which those
/// stand that no other place can give, and `ignored` what is ignored of it.
pub(super) fn rows(container: &Value, given: &Value, ignored: &[Ignored]) -> Vec<Row> {
    let mut rows = Vec::new();
    walk(container, String::new(), Given { path: String::new(), value: Some(given) }, &mut rows);
    let ignored: Vec<String> = ignored.iter().map(|ignored| ignored.origin.to_string()).collect();
    for row in &mut rows {
        let origin = row.origin.as_deref().unwrap_or_default();
        row.ignored = ignored.iter().any(|ignored| is_in(origin, ignored));
    }
    rows
}

/// Whether the one place is the other or below it.
fn is_in(inner: &str, outer: &str) -> bool {
    let rest = inner.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A place in config.json, and what is there.
struct Given<'v> {
    path: String,
    value: Option<&'v Value>,
}

impl Given<'_> {
    fn key(&self, key: &str) -> Self {
        Self { path: below(&self.path, key), value: self.value.and_then(|value| value.get(key)) }
    }

    fn index(&self, index: usize) -> Self {
        let value = self.value.and_then(|value| value.get(index));
        Self { path: format!("{}[{index}]", self.path), value }
    }
}

fn walk(value: &Value, path: String, given: Given<'_>, rows: &mut Vec<Row>) {
    if let (Some(sourced), Some(Value::String(origin)), 2) =
        (value.get("value"), value.get("origin"), value.as_object().map_or(0, serde_json::Map::len))
    {
        rows.push(Row {
            path,
            value: sourced.clone(),
            origin: Some(origin.clone()),
            ignored: false,
        });
        return;
    }
    match value {
        Value::Array(list) if list.is_empty() => {}
        Value::Object(properties) => {
            for (key, value) in properties {
                let given = match (path.as_str(), key.as_str()) {
                    // Parts that stand elsewhere in config.json.
                    ("", "devices") => given.key("freebsd").key(key),
                    ("", "resources") => given.key("linux").key(key),
                    _ => given.key(key),
                };
                walk(value, below(&path, key), given, rows);
            }
        }
        // Arguments and options say something together.
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, format!("{path}[{index}]"), given.index(index), rows);
            }
        }
        value => {
            let origin = given.value.map(|_| format!("{}: {}", Config::FILE_NAME, given.path));
            rows.push(Row { path, value: value.clone(), origin, ignored: false });
        }
    }
}

/// The path of a property, as the messages about a configuration have it.
fn below(path: &str, key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match (path, key.bytes().all(plain)) {
        ("", _) => key.to_owned(),
        ("jail" | "jail.allow", _) | (_, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{key:?}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_value_has_its_origin() {
        let container = json!({
            "hostname": { "value": "web", "origin": "config.json: hostname" },
            "process": { "user": { "uid": 0 }, "args": ["sh", "-c"] },
            "mounts": [{ "destination": "/dev" }],
            "annotations": { "org.x": "y" },
            "devices": [{ "path": "null" }],
            "rctl": [],
            "jail": {
                "ip4.addr": [{ "value": "192.0.2.1", "origin": "runj.ext.json: network.ipv4.addr[0]" }]
            }
        });
        let given = json!({
            "hostname": "web",
            "process": { "args": ["sh", "-c"] },
            "mounts": [{ "destination": "dev" }],
            "annotations": { "org.x": "y" },
            "freebsd": { "devices": [{ "path": "null" }] }
        });
        let row = |path: &str, value: Value, origin: Option<&str>| Row {
            path: path.into(),
            value,
            origin: origin.map(Into::into),
            ignored: false,
        };
        let mut rows = rows(&container, &given, &[]);
        let mut expected = vec![
            row("hostname", json!("web"), Some("config.json: hostname")),
            row("process.user.uid", json!(0), None),
            row("process.args", json!(["sh", "-c"]), Some("config.json: process.args")),
            row("mounts[0].destination", json!("/dev"), Some("config.json: mounts[0].destination")),
            row("annotations[\"org.x\"]", json!("y"), Some("config.json: annotations[\"org.x\"]")),
            row("devices[0].path", json!("null"), Some("config.json: freebsd.devices[0].path")),
            row(
                "jail.ip4.addr[0]",
                json!("192.0.2.1"),
                Some("runj.ext.json: network.ipv4.addr[0]"),
            ),
        ];
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        expected.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_is_below_an_ignored_property_is_ignored() {
        let given = json!({
            "ociVersion": "1.3.0",
            "process": { "args": ["sh"], "argsx": { "a": { "b": 1 } }, "cwdd": "/", "cwd": "/" }
        });
        let rows = rows(&given, &given, &Config::ignored(given.clone()));
        let ignored = rows.iter().filter(|row| row.ignored).map(|row| row.path.as_str());
        assert_eq!(ignored.collect::<Vec<_>>(), ["process.argsx.a.b", "process.cwdd"]);
    }
}
