//! Configurations, good and bad ones.

use serde_json::{Map, Value};

pub(super) const CONFIG: &str = "config.json";
pub(super) const EXTENSION: &str = "runj.ext.json";

/// The documents of a bundle.
pub(super) struct Example {
    pub(super) name: &'static str,
    /// By their file names.
    pub(super) documents: Map<String, Value>,
    /// The places that are wrong in them.
    pub(super) refused: Vec<String>,
}

macro_rules! examples {
    ($directory:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!($directory, "/", $name, ".json")))),+]
    };
}

/// Together they use every field that there is; some fields exclude each other.
pub(super) const GOOD: &[(&str, &str)] = examples!["good":
    "process", "minimal", "addresses", "vnet", "hooks", "linux", "other-platforms",
];

/// In each the places are named that are wrong, and nothing else is.
pub(super) const BAD: &[(&str, &str)] = examples!["bad":
    "no-process", "no-required-fields", "not-a-version", "rlimits", "types", "vnet-with-addresses",
    "vnet-modes", "words",
];

pub(super) fn read(examples: &[(&'static str, &str)]) -> Vec<Example> {
    let read = |(name, text): &(&'static str, &str)| {
        let parsed: Value = serde_json::from_str(text).unwrap_or_else(|it| panic!("{name}: {it}"));
        let Value::Object(mut documents) = parsed else { panic!("{name}") };
        let refused = documents.remove("refused").unwrap_or_default();
        let refused = refused.as_array().into_iter().flatten();
        let refused = refused.map(|place| place.as_str().unwrap().to_owned()).collect();
        Example { name, documents, refused }
    };
    examples.iter().map(read).collect()
}
