//! What goes wrong with jails.

use nix::errno::Errno;

/// A request that was refused, with what the kernel said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A jail system call was refused.
    #[error("{call}: {}", reason(*errno, message.as_deref()))]
    Refused {
        /// The system call, for instance `jail_set(2)`.
        call: &'static str,
        /// The error number.
        errno: Errno,
        /// The kernel's own text (`errmsg`), where it gave one.
        message: Option<String>,
    },
    /// A parameter's name or value contains a NUL byte, which C strings cannot carry.
    #[error("jail parameter {name:?}: its name or value contains a NUL byte")]
    NulByte {
        /// The parameter.
        name: String,
    },
    /// The kernel returned a value that is not of the kind that was asked for.
    #[error("jail parameter {name:?}: the kernel returned {bytes} bytes, not a value of that kind")]
    Undecodable {
        /// The parameter.
        name: String,
        /// The length of what the kernel returned.
        bytes: usize,
    },
    /// Another system call failed.
    #[error("{call}: {errno}")]
    System {
        /// What was called.
        call: &'static str,
        /// The error number.
        errno: Errno,
    },
    /// Something that the development host's emulation needs is missing or broken.
    #[cfg(target_os = "linux")]
    #[error("development host: {what}")]
    Emulation {
        /// What was being done.
        what: String,
        /// What went wrong.
        source: std::io::Error,
    },
}

impl Error {
    /// The error number, where a system call gave one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } | Self::System { errno, .. } => Some(*errno),
            Self::NulByte { .. } | Self::Undecodable { .. } => None,
            #[cfg(target_os = "linux")]
            Self::Emulation { source, .. } => source.raw_os_error().map(Errno::from_raw),
        }
    }

    pub(crate) fn system(call: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { call, errno }
    }
}

fn reason(errno: Errno, message: Option<&str>) -> String {
    match message {
        Some(message) => format!("{message} ({errno})"),
        None => errno.to_string(),
    }
}
