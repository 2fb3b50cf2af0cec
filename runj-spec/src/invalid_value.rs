//! The error of the checked types.

use thiserror::Error;

use crate::quote::quote_text;

/// A text that is no value of the type it was read as. Names the text and what is allowed instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} is not allowed: expected {expected}", quote_text(.value))]
pub struct InvalidValue {
    value: String,
    expected: String,
}

impl InvalidValue {
    pub(crate) fn new(value: &str, expected: String) -> Self {
        Self { value: value.to_owned(), expected }
    }
}
