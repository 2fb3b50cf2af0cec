//! What a document has that nothing is made of.

use crate::Origin;

/// A property that nothing is made of, as the specification asks for those that are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Where it stands.
    pub origin: Origin,
    /// The properties that are known there: it may be one of them, misspelt. Nothing if it is there to
    /// be ignored: the specification has it for other systems, or it is a comment, called `//`.
    pub known: Option<Vec<String>>,
}
