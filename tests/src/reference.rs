//! What can be written into a bundle's documents: docs/configuration.md, made from the types of
//! runj-spec.
//!
//! Of runj.ext.json there is a JSON Schema, which has all. Of config.json the decoder is asked: what
//! it looks for, and what it says that it expects when it is given nonsense. What a property of
//! config.json does is in the table that [`crate::coverage`] holds runj to.

use std::fmt::Write as _;

use runj_spec::{Config, Error, Extension};
use serde_json::{Value, json};

use crate::coverage::{Coverage, Status};

/// Where the page is, from the root of the workspace.
pub const PAGE: &str = "docs/configuration.md";

/// The page.
///
/// # Panics
///
/// When a property that the decoder looks for is not in the table, or takes anything.
#[must_use]
pub fn page() -> String {
    let mut page = PREFACE.to_owned();
    let mut words = String::new();
    page.push_str("| property | value | |\n|---|---|---|\n");
    extension_rows(&Extension::json_schema(), "", &mut page, &mut words);
    page.push_str("\n### Words\n\n| property | word | |\n|---|---|---|\n");
    page.push_str(&words);
    page.push_str(CONFIG);
    let table = Coverage::table();
    for section in &table.sections {
        let freebsd = section.title.starts_with("FreeBSD");
        if section.file != Config::FILE_NAME || !(freebsd || section.title == "Annotations") {
            continue;
        }
        write!(page, "\n### {}\n\n{}\n\n", section.title, section.about).unwrap();
        page.push_str("| property | value | what it does |\n|---|---|---|\n");
        for row in section.rows.iter().filter(|row| row.status == Status::Implemented) {
            let value = if freebsd { expected(&row.field) } else { "a text".to_owned() };
            let (value, how) = (cell(&value), cell(&row.how));
            writeln!(page, "| `{}` | {value} | {how} |", row.field).unwrap();
        }
    }
    page.push_str(REST);
    page
}

/// A row for each property of an object, and of the objects in it.
fn extension_rows(schema: &Value, path: &str, page: &mut String, words: &mut String) {
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let description = cell(schema["description"].as_str().unwrap());
        let one_of = schema["oneOf"].as_array();
        let value = match (schema["type"].as_str(), one_of) {
            (_, Some(one_of)) => {
                let mut names = Vec::new();
                for word in one_of {
                    let name = format!("`{}`", word["const"]);
                    let about = cell(word["description"].as_str().unwrap());
                    writeln!(words, "| `{path}` | {name} | {about} |").unwrap();
                    names.push(name);
                }
                names.join(", ")
            }
            (Some("array"), _) => "a list of texts".to_owned(),
            (Some("string"), _) => "a text".to_owned(),
            (Some("object"), _) => "an object".to_owned(),
            (other, _) => panic!("{path}: {other:?}"),
        };
        writeln!(page, "| `{path}` | {value} | {description} |").unwrap();
        extension_rows(schema, &path, page, words);
    }
}

/// What the decoder of config.json expects there, in its own words.
fn expected(field: &str) -> String {
    // What nothing takes; and, for what is a list, an element that no list takes.
    let (one, element) = (json!({"nonsense": {}}), json!([{"nonsense": {}}]));
    let (at, text) = complaint(field, one);
    assert!(at.ends_with(field.rsplit(['.', ']']).next().unwrap()), "{field}: {at}");
    match complaint(field, element) {
        (at, of) if at.ends_with("[0]") => format!("{text}; each {of}"),
        _ => text,
    }
}

/// Where the first problem of a config.json is that has that value there, and what was expected.
fn complaint(field: &str, value: Value) -> (String, String) {
    let nested = field.rsplit('.').fold(value, |value, key| match key.strip_suffix("[]") {
        // What else a device has to have.
        Some(list) => {
            let mut element = json!({"path": "null"});
            element.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            json!({ list: [element] })
        }
        None => json!({ key: value }),
    });
    let mut document = json!({ "ociVersion": "1.3.0" });
    document.as_object_mut().unwrap().extend(nested.as_object().unwrap().clone());
    let Err(Error::Invalid(problems)) =
        Config::parse(document.to_string().as_bytes(), Config::FILE_NAME)
    else {
        panic!("{field} takes anything");
    };
    let problem = problems.iter().next().unwrap();
    let text = problem.to_string();
    let (_, expected) = text.split_once(": expected ").unwrap();
    (problem.origin().to_string(), expected.to_owned())
}

/// A text that is in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const PREFACE: &str = "\
# Configuration

<!-- `cargo xtask reference` writes this page from the types of runj-spec and from tests/coverage.json. -->

A bundle has a `config.json`, which the OCI runtime specification lays out, and may have a `runj.ext.json`
beside it, for what the writer of the first could not say. `runj config check BUNDLE` says all that is wrong
with the two. `runj config show BUNDLE` prints what they come to, where each value was given, and the jail's
parameters. Neither changes anything on the host.

Where both say something, a mode in `runj.ext.json` overrides, and lists are joined. A property that runj does
not know is ignored, as the specification says; an editor that reads `$schema` underlines it.

## runj.ext.json

```json extension
{
  \"$schema\": \"runj.ext.schema.json\",
  \"network\": {
    \"ipv4\": {\"mode\": \"new\", \"addr\": [\"192.0.2.1\"]},
    \"ipv6\": {\"mode\": \"disable\"},
    \"resolvConf\": \"host\"
  },
  \"rctl\": [\"memoryuse:deny=512m\", \"maxproc:deny=100\"]
}
```

`runj demo spec` writes the schema beside the document; it is `runj-spec/schema/runj.ext.schema.json` in the
sources. An address is written as jail(8) has it, and may have a prefix length where an interface carries it.

";

const CONFIG: &str = "
## config.json: what is FreeBSD's

```json config
{
  \"ociVersion\": \"1.3.0\",
  \"process\": {\"args\": [\"sh\"], \"cwd\": \"/\"},
  \"root\": {\"path\": \"rootfs\"},
  \"mounts\": [{\"destination\": \"/dev\", \"type\": \"devfs\"}],
  \"freebsd\": {
    \"devices\": [{\"path\": \"pf\", \"mode\": 384}],
    \"jail\": {
      \"ip4\": \"new\",
      \"ip4Addr\": [\"192.0.2.1/24\"],
      \"interface\": \"em0\",
      \"enforceStatfs\": 1,
      \"allow\": {\"rawSockets\": true, \"mount\": [\"tmpfs\"]}
    }
  }
}
```

In the column of values are the words that runj refuses anything else with. A name such as `ip4.addr` is the
parameter of jail(8) that the property becomes.
";

const REST: &str = "
## The rest of config.json

[coverage.md](coverage.md) has every field of the specification, what runj makes of it, and the tests that
prove it.
";
