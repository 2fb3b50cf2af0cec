//! From a JSON value to a typed one, with every problem on the way collected.
//!
//! serde's derived decoders stop at the first error, and an engineer who writes a bundle by hand
//! would meet the errors one by one. Here a value that cannot be used is reported and left out, and
//! decoding goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::checked::Checked;
use crate::json_path::{JsonPath, Step};
use crate::quote::quote;
use crate::schema::Property;
use crate::{Error, Ignored, Origin, Problem, Problems, document};

/// Proof that a problem was recorded. Made by [`Reader`] alone.
#[derive(Debug)]
pub(crate) struct Reported(());

/// A value, or the proof that the reason why there is none was recorded.
///
/// A value may be incomplete when problems were recorded below it: it is good for finding further
/// problems, and [`Problems::unless_any`] keeps it from getting out.
pub(crate) type Decoded<T> = Result<T, Reported>;

/// Parses and decodes the text of a whole document, which messages call `file`.
pub(crate) fn document<T>(
    text: &[u8],
    file: &str,
    read: impl FnOnce(&mut Reader<'_>, Value) -> Decoded<T>,
) -> Result<T, Error> {
    let value = document::parse(text, file)?;
    let mut problems = Problems::default();
    let decoded = read(&mut Reader::new(file, &mut problems), value);
    Ok(problems.unless_any(decoded.ok())?)
}

/// What a decoder does with the properties of a document.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Those that it looks for, given or not: their paths, in which `[]` stands for every element of a
    /// list.
    pub(crate) looked_for: BTreeSet<String>,
    /// Those that are given and that it makes nothing of.
    pub(crate) ignored: Vec<Ignored>,
}

/// What `read` does with the properties of `document`, which messages call `file`.
pub(crate) fn trace<T>(
    document: Value,
    file: &str,
    read: impl FnOnce(&mut Reader<'_>, Value) -> Decoded<T>,
) -> Trace {
    let mut problems = Problems::default();
    let mut reader = Reader::new(file, &mut problems);
    reader.trace = Some(Trace::default());
    // What comes of the document does not matter here.
    let _ = read(&mut reader, document);
    reader.trace.unwrap_or_default()
}

/// Reads one document: knows the place of the value at hand and records what is wrong with it.
pub(crate) struct Reader<'p> {
    file: String,
    path: JsonPath,
    problems: &'p mut Problems,
    /// What becomes of the properties, where somebody wants to know.
    trace: Option<Trace>,
}

impl<'p> Reader<'p> {
    /// A reader at the root of the document that messages call `file`.
    pub(crate) fn new(file: &str, problems: &'p mut Problems) -> Self {
        Self { file: file.to_owned(), path: JsonPath::default(), problems, trace: None }
    }

    /// The name of the document.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Where problems are recorded.
    pub(crate) fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    /// The place of the value at hand.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new(self.file.as_str(), self.path.to_string())
    }

    /// Records that `value`, the value at hand, is wrong.
    pub(crate) fn refuse(&mut self, value: &Value, expected: impl Into<String>) -> Reported {
        self.problems.push(Problem::not_allowed(self.origin(), quote(value), expected));
        Reported(())
    }

    /// Reads something below the value at hand.
    pub(crate) fn below<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = read(self);
        self.path.pop();
        result
    }

    /// The properties of `value`, the value at hand, if it is an object.
    pub(crate) fn object(&mut self, value: Value) -> Decoded<Fields<'_, 'p>> {
        match value {
            Value::Object(map) => Ok(Fields { reader: self, map, known: Vec::new(), others: &[] }),
            other => Err(self.refuse(&other, "an object")),
        }
    }

    /// The elements of `value`, the value at hand, that can be used. `expected` says what a list is
    /// expected to hold.
    pub(crate) fn elements<T>(
        &mut self,
        value: Value,
        expected: &str,
        mut read: impl FnMut(&mut Self, Value) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        match value {
            Value::Array(elements) => Ok(elements
                .into_iter()
                .enumerate()
                .filter_map(|(index, element)| {
                    self.below(Step::Index(index), |reader| read(reader, element)).ok()
                })
                .collect()),
            other => Err(self.refuse(&other, expected)),
        }
    }

    /// As [`elements`](Self::elements), but a text stands for a list of it alone.
    pub(crate) fn one_or_more<T>(
        &mut self,
        value: Value,
        expected: &str,
        mut read: impl FnMut(&mut Self, Value) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        match value {
            Value::String(_) => read(self, value).map(|element| vec![element]),
            other => self.elements(other, expected, read),
        }
    }

    /// Records a problem if `key`, for which the value at hand stands in a list, has been seen in
    /// it before.
    pub(crate) fn once<K: Ord>(
        &mut self,
        seen: &mut BTreeMap<K, String>,
        key: K,
        value: &Value,
    ) -> Decoded<()> {
        if let Some(first) = seen.get(&key) {
            let expected = format!("no duplicate of {first}");
            return Err(self.refuse(value, expected));
        }
        seen.insert(key, self.path.to_string());
        Ok(())
    }

    /// `value` as text for which `legal` holds.
    pub(crate) fn text(
        &mut self,
        value: Value,
        expected: &str,
        legal: impl FnOnce(&str) -> bool,
    ) -> Decoded<String> {
        match value {
            Value::String(text) if legal(&text) => Ok(text),
            other => Err(self.refuse(&other, expected)),
        }
    }
}

/// The properties of an object that are not read yet.
pub(crate) struct Fields<'r, 'p> {
    reader: &'r mut Reader<'p>,
    map: Map<String, Value>,
    /// Those that were read, where somebody wants to know.
    known: Vec<String>,
    others: &'static [&'static str],
}

impl<'p> Fields<'_, 'p> {
    /// The property `key` if it is given and usable. `null` counts as not given, as in the
    /// specification's Go types.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Reader<'p>, Value) -> Decoded<T>,
    ) -> Option<T> {
        match self.take(key) {
            None | Some(Value::Null) => None,
            Some(value) => {
                self.reader.below(Step::Key(key.to_owned()), |reader| read(reader, value)).ok()
            }
        }
    }

    /// The property `key`. If it is not given, a problem says that `expected` was.
    pub(crate) fn required<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&mut Reader<'p>, Value) -> Decoded<T>,
    ) -> Decoded<T> {
        match self.take(key) {
            None | Some(Value::Null) => self.reader.below(Step::Key(key.to_owned()), |reader| {
                let problem = Problem::missing(reader.origin(), expected);
                reader.problems.push(problem);
                Err(Reported(()))
            }),
            Some(value) => {
                self.reader.below(Step::Key(key.to_owned()), |reader| read(reader, value))
            }
        }
    }

    /// The property `key` as a list; empty if it is not given.
    pub(crate) fn list<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnMut(&mut Reader<'p>, Value) -> Decoded<T>,
    ) -> Vec<T> {
        self.optional(key, |reader, value| reader.elements(value, expected, read))
            .unwrap_or_default()
    }

    /// The property `key`, read as its type says; the type's default if it is not given.
    pub(crate) fn property<T: Property>(&mut self, key: &str) -> T {
        self.optional(key, T::decode).unwrap_or_default()
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let Reader { path, trace, .. } = &mut *self.reader;
        if let Some(trace) = trace {
            trace.looked_for.insert(path.clone().key(key).pattern());
            self.known.push(key.to_owned());
        }
        self.map.remove(key)
    }

    /// Reads on at the object itself, to check one property against another.
    pub(crate) fn reader(&mut self) -> &mut Reader<'p> {
        self.reader
    }

    /// Tells of the properties that the specification has here and that mean nothing to a jail.
    pub(crate) fn has_for_others(&mut self, names: &'static [&'static str]) {
        self.others = names;
    }

    /// The properties that nobody asked for.
    pub(crate) fn rest(self) -> Map<String, Value> {
        let Self { reader, map, known, others } = self;
        if let Some(trace) = &mut reader.trace {
            trace.ignored.extend(map.keys().map(|key| {
                let meant = key == "//" || others.contains(&key.as_str());
                let path = reader.path.clone().key(key).to_string();
                let origin = Origin::new(reader.file.as_str(), path);
                Ignored { origin, known: (!meant).then(|| known.clone()) }
            }));
        }
        map
    }

    /// All properties, of an object that has them by any name.
    pub(crate) fn entries(self) -> Map<String, Value> {
        self.map
    }
}

/// A text that is a value of a checked type.
pub(crate) fn checked<T: Checked>(reader: &mut Reader<'_>, value: Value) -> Decoded<T> {
    match value.as_str().and_then(T::check) {
        Some(checked) => Ok(checked),
        None => Err(reader.refuse(&value, T::expected())),
    }
}

/// `true` or `false`.
pub(crate) fn boolean(reader: &mut Reader<'_>, value: Value) -> Decoded<bool> {
    value.as_bool().ok_or_else(|| reader.refuse(&value, "true or false"))
}

/// An integer in `range`.
pub(crate) fn integer<T>(
    range: RangeInclusive<u64>,
) -> impl FnOnce(&mut Reader<'_>, Value) -> Decoded<T> + Clone
where
    T: TryFrom<u64>,
{
    move |reader, value| {
        let integer = value.as_u64().filter(|integer| range.contains(integer));
        integer.and_then(|integer| T::try_from(integer).ok()).ok_or_else(|| {
            let expected = format!("an integer from {} to {}", range.start(), range.end());
            reader.refuse(&value, expected)
        })
    }
}

/// Any value of a `u32`: a user or group id, a number of seconds.
pub(crate) fn uint32(reader: &mut Reader<'_>, value: Value) -> Decoded<u32> {
    integer(0..=u64::from(u32::MAX))(reader, value)
}

/// A text for a C string.
pub(crate) fn c_string(reader: &mut Reader<'_>, value: Value) -> Decoded<String> {
    reader.text(value, "a string without NUL bytes", is_c_string)
}

/// A path or name for a C string.
pub(crate) fn non_empty(reader: &mut Reader<'_>, value: Value) -> Decoded<String> {
    reader.text(value, "a non-empty string without NUL bytes", |text| {
        !text.is_empty() && is_c_string(text)
    })
}

/// A path that starts at a root.
pub(crate) fn absolute_path(reader: &mut Reader<'_>, value: Value) -> Decoded<String> {
    reader.text(value, "an absolute path without NUL bytes", |text| {
        text.starts_with('/') && is_c_string(text)
    })
}

/// The name of a host or a domain, for which the kernel has MAXHOSTNAMELEN (256) bytes with the
/// final NUL.
pub(crate) fn host_name(reader: &mut Reader<'_>, value: Value) -> Decoded<String> {
    reader
        .text(value, "at most 255 bytes without NUL", |text| text.len() <= 255 && is_c_string(text))
}

/// The name of a jail that is to be the parent of another, for which the same bound holds.
pub(crate) fn parent_jail(reader: &mut Reader<'_>, value: Value) -> Decoded<String> {
    reader.text(value, "the name of a jail: 1 to 255 bytes without NUL", |text| {
        (1..=255).contains(&text.len()) && is_c_string(text)
    })
}

/// An entry of an environment, see environ(7).
pub(crate) fn environment_entry(reader: &mut Reader<'_>, value: Value) -> Decoded<String> {
    reader.text(value, "a variable such as \"NAME=value\" without NUL bytes", |text| {
        text.find('=').is_some_and(|name_length| name_length > 0) && is_c_string(text)
    })
}

/// Whether the system calls would get the whole of `text`.
pub(crate) fn is_c_string(text: &str) -> bool {
    !text.contains('\0')
}
