//! One thing that is wrong with a bundle.

use std::fmt;

use crate::Origin;

/// One wrong or missing value: where, what it is and what is allowed, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    origin: Origin,
    /// The value as it is shown, or nothing if it is missing.
    value: Option<String>,
    expected: String,
}

impl Problem {
    /// The value at `origin` is wrong. `value` is already quoted.
    pub(crate) fn not_allowed(origin: Origin, value: String, expected: impl Into<String>) -> Self {
        Self { origin, value: Some(value), expected: expected.into() }
    }

    /// There is no value at `origin`.
    pub(crate) fn missing(origin: Origin, expected: impl Into<String>) -> Self {
        Self { origin, value: None, expected: expected.into() }
    }

    /// Where it is.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, value, expected } = self;
        match value {
            Some(value) => {
                write!(formatter, "{origin}: {value} is not allowed: expected {expected}")
            }
            None => write!(formatter, "{origin}: missing: expected {expected}"),
        }
    }
}
