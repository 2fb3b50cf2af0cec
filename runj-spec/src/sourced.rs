//! A value and where it came from.

use serde::Serialize;

use crate::Origin;

/// A value of the merged configuration that remembers where it was given, for messages about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was given.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// `value`, given at `origin`.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
