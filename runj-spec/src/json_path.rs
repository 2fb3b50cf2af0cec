//! The path from the root of a JSON document to a value in it.

use std::fmt;

use crate::quote::quote_text;

/// The keys and indices that lead to a value. Displays as `mounts[0].type` or
/// `annotations["org.example.key"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JsonPath(Vec<Step>);

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the value of a property.
    Key(String),
    /// To an element of a list.
    Index(usize),
}

impl JsonPath {
    pub(crate) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// The path to the property `key` of the document.
    pub(crate) fn of_key(key: &str) -> Self {
        Self(vec![Step::Key(key.to_owned())])
    }

    /// The path to the property `key` of what this path leads to.
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    /// The path without the numbers of elements: `mounts[].type`.
    pub(crate) fn pattern(&self) -> String {
        let step = |(depth, step): (usize, &Step)| match step {
            Step::Index(_) => "[]".to_owned(),
            Step::Key(key) if !is_plain(key) => format!("[{}]", quote_text(key)),
            Step::Key(key) if depth == 0 => key.clone(),
            Step::Key(key) => format!(".{key}"),
        };
        self.0.iter().enumerate().map(step).collect()
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Key(key) if !is_plain(key) => write!(formatter, "[{}]", quote_text(key))?,
                Step::Key(key) if depth == 0 => formatter.write_str(key)?,
                Step::Key(key) => write!(formatter, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Whether a key can stand in a path without quotes.
fn is_plain(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    impl JsonPath {
        fn index(mut self, index: usize) -> Self {
            self.push(Step::Index(index));
            self
        }
    }

    #[test]
    fn a_path_reads_like_code() {
        let path = JsonPath::of_key("mounts").index(0).key("type");
        assert_eq!(path.to_string(), "mounts[0].type");
    }

    #[test]
    fn a_pattern_has_no_numbers() {
        let path = JsonPath::of_key("mounts").index(3).key("options").index(0);
        assert_eq!(path.pattern(), "mounts[].options[]");
    }

    #[test]
    fn odd_keys_are_quoted() {
        let path = JsonPath::of_key("annotations").key("org.freebsd.jail.vnet").key("").key("a\nb");
        assert_eq!(path.to_string(), r#"annotations["org.freebsd.jail.vnet"][""]["a\nb"]"#);
    }
}
