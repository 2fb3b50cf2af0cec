//! Why a bundle could not be read.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::Problems;

/// Why a bundle, or one of its documents, could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or read.
    #[error("cannot read {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path leads to something else than a file: a directory, a device, a pipe.
    #[error("{path:?} is not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than any such file needs to be.
    #[error("{path:?} is too large: expected at most {limit} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The document is not JSON, or has one property twice, or nests too deeply.
    #[error("{file}: line {line}, column {column}: {message}")]
    Syntax {
        /// The name of the file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The byte in the line, counted from 1; 0 if the line ended before it began.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Values are wrong or missing.
    #[error(transparent)]
    Invalid(#[from] Problems),
}
