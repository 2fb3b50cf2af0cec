//! All that is wrong with a bundle.

use std::fmt;

use thiserror::Error;

use crate::Problem;

/// Everything that is wrong with a bundle, so that it can be put right in one go.
///
/// Displays on one line, the problems separated by `; `. The first [`Problems::MAX_KEPT`] are kept
/// and the rest counted, so that a hostile document cannot fill the memory with messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Error)]
pub struct Problems {
    kept: Vec<Problem>,
    beyond: usize,
}

impl Problems {
    /// The most problems that are kept.
    pub const MAX_KEPT: usize = 100;

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.kept.len() < Self::MAX_KEPT {
            self.kept.push(problem);
        } else {
            self.beyond += 1;
        }
    }

    /// The problems, in the order of the documents' schema.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.kept.iter()
    }

    /// `value` if nothing is wrong. What was read beside problems is incomplete and must not get
    /// out.
    pub(crate) fn unless_any<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.kept.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{problem}")?;
        }
        if self.beyond > 0 {
            write!(formatter, "; and {} more", self.beyond)?;
        }
        Ok(())
    }
}
