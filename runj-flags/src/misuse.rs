//! Why a line is not taken.

use std::ffi::OsString;

use thiserror::Error;

use crate::command::Definition;

/// What is wrong with a line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Misuse {
    /// There is no such flag.
    #[error("{command} has no flag {flag}: {command} --help lists those that there are")]
    NoSuchFlag {
        /// The command in question.
        command: String,
        /// The flag.
        flag: String,
    },
    /// There is no such verb.
    #[error("{command} has no command {verb:?}: {command} --help lists those that there are")]
    NoSuchVerb {
        /// The command in question.
        command: String,
        /// The word.
        verb: String,
    },
    /// The command needs a verb.
    #[error("no command is given: {0} --help lists those that there are")]
    NoVerb(String),
    /// There is nothing for which the word could be.
    #[error("{word:?} is one word too many: {command} --help tells what it takes")]
    TooMany {
        /// The command in question.
        command: String,
        /// The word.
        word: String,
    },
    /// Something has to be given, or one of several things.
    #[error("{what} is missing: {command} --help tells what it is")]
    Missing {
        /// The command in question.
        command: String,
        /// The flags or operands.
        what: String,
    },
    /// A flag needs a value.
    #[error("{flag} needs a value: {value}")]
    NoValue {
        /// The flag.
        flag: String,
        /// What it may be, or what it is called.
        value: String,
    },
    /// A flag has none.
    #[error("{flag}={value:?}: {flag} has no value")]
    Value {
        /// The flag.
        flag: String,
        /// What it was given.
        value: OsString,
    },
    /// Two things exclude each other.
    #[error("{one} and {other} are both given: only one of them may be")]
    Both {
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
    /// A value is not what it has to be.
    #[error("{place}: {reason}")]
    NotAllowed {
        /// The flag or operand.
        place: String,
        /// What it was given, and what is allowed.
        reason: String,
    },
    /// The line cannot be told apart.
    #[error("{0}")]
    Garbled(String),
}

/// Why a line gives no command to carry out.
#[derive(Clone, Debug, Error)]
pub enum Stop {
    /// It asks for the help of the last of these commands, to which the others lead.
    #[error("help was asked for")]
    Help(Vec<&'static Definition>),
    /// It asks for the program's version.
    #[error("the version was asked for")]
    Version,
    /// It is wrong.
    #[error(transparent)]
    Misuse(#[from] Misuse),
}

impl From<lexopt::Error> for Misuse {
    fn from(error: lexopt::Error) -> Self {
        match error {
            lexopt::Error::UnexpectedValue { option, value } => Self::Value { flag: option, value },
            other => Self::Garbled(other.to_string()),
        }
    }
}
