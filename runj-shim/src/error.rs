//! What goes wrong, and what containerd is told of it.

use std::io;

use runj_faults::Fault;
use ttrpc::{Code, get_status};

/// Why the shim cannot do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such container or process (any more).
    #[error("{0}: not found")]
    NotFound(String),
    /// There is one already.
    #[error("{0}: already exists")]
    Exists(String),
    /// It cannot be done to a process that is in that state.
    #[error("cannot {verb} {what}: it is {state}")]
    WrongState { verb: &'static str, what: String, state: &'static str },
    /// The process to be signalled has ended.
    #[error("{0}: process already finished")]
    Finished(String),
    /// A value that cannot be had.
    #[error("{place}: {value} is not allowed: {reason}")]
    Unusable { place: String, value: String, reason: String },
    /// A document is wrong.
    #[error(transparent)]
    Spec(#[from] runj_spec::Error),
    /// containerd has calls that runj has nothing for.
    #[error("{0} is not supported by runj")]
    Unsupported(&'static str),
    /// `runj` could not do it; the text is its own.
    #[error("runj {verb}: {message}")]
    Runj { verb: &'static str, message: String },
    /// A mount of the container's root failed.
    #[error("cannot mount {fstype} {from:?} on {on:?}: {reason}")]
    Mount { fstype: String, from: String, on: std::path::PathBuf, reason: String },
    /// The kernel's word on jails.
    #[error(transparent)]
    Jail(#[from] runj_jail::Error),
    /// Something else of the host failed.
    #[error("{what}")]
    Io { what: String, source: io::Error },
}

impl Error {
    pub(crate) fn io<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source: source.into() }
    }

    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::Finished(_) => Code::NOT_FOUND,
            Self::Exists(_) => Code::ALREADY_EXISTS,
            Self::WrongState { .. } => Code::FAILED_PRECONDITION,
            Self::Unusable { .. } | Self::Spec(_) => Code::INVALID_ARGUMENT,
            Self::Unsupported(_) => Code::UNIMPLEMENTED,
            Self::Runj { .. } | Self::Mount { .. } | Self::Jail(_) | Self::Io { .. } => {
                Code::INTERNAL
            }
        }
    }
}

/// A step that a test has refused, where the kernel's refusal would be told in this way too.
impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::io("a fault point")(std::io::Error::from(fault))
    }
}

impl From<Error> for ttrpc::Error {
    fn from(error: Error) -> Self {
        Self::RpcStatus(get_status(error.code(), whole(&error)))
    }
}

/// An error and its causes, in one line.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
