//! A place in a JSON document.

use std::fmt;

use serde_json::{Map, Value};

/// The keys and indexes that lead to a value, as runj's messages write them.
#[derive(Clone, Default)]
pub(super) struct Place(Vec<Step>);

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

impl Place {
    /// The place of a pattern without odd keys, with the first element of each list.
    pub(super) fn first_of(pattern: &str) -> Self {
        let keys = pattern.split('.').filter(|key| !key.is_empty());
        keys.fold(Self::default(), |place, key| match key.strip_suffix("[]") {
            Some(list) => place.key(list).index(0),
            None => place.key(key),
        })
    }

    pub(super) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// The place without the numbers of elements: `mounts[].type`.
    pub(super) fn pattern(&self) -> String {
        self.written(|_| String::new())
    }

    /// The value at this place, which has to be there.
    pub(super) fn value_in<'v>(&self, document: &'v mut Value) -> &'v mut Value {
        self.0.iter().fold(document, |value, step| match step {
            Step::Key(key) => value.get_mut(key).unwrap(),
            Step::Index(index) => value.get_mut(index).unwrap(),
        })
    }

    /// Puts `value` at this place; objects and lists on the way are made.
    pub(super) fn set_in(&self, document: &mut Value, value: Value) {
        let place = self.0.iter().fold(document, |value, step| match step {
            Step::Key(key) => {
                if !value.is_object() {
                    *value = Value::Object(Map::new());
                }
                &mut value[key]
            }
            Step::Index(index) => value.get_mut(index).unwrap(),
        });
        *place = value;
    }

    fn written(&self, number: impl Fn(usize) -> String) -> String {
        let step = |(depth, step): (usize, &Step)| match step {
            Step::Index(index) => format!("[{}]", number(*index)),
            Step::Key(key) if !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                format!("[{}]", Value::from(key.as_str()))
            }
            Step::Key(key) if depth == 0 => key.clone(),
            Step::Key(key) => format!(".{key}"),
        };
        self.0.iter().enumerate().map(step).collect()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written(|index| index.to_string()))
    }
}

/// All values in a document with their places, from the outside in; not the document itself.
pub(super) fn places(document: &Value) -> Vec<(Place, Value)> {
    fn below(place: &Place, value: &Value, all: &mut Vec<(Place, Value)>) {
        let mut one = |place: Place, value: &Value| {
            all.push((place.clone(), value.clone()));
            below(&place, value, all);
        };
        match value {
            Value::Object(object) => {
                object.iter().for_each(|(key, value)| one(place.clone().key(key), value));
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(at, value)| one(place.clone().index(at), value));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    below(&Place::default(), document, &mut all);
    all
}
