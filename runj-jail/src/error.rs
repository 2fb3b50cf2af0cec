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
    /// The kernel does not account what jails use, and so cannot limit it.
    #[error(
        "limits cannot be enforced: {reason}. Resource accounting is turned on by the line \
         kern.racct.enable=1 in /boot/loader.conf and a boot, not by sysctl(8)"
    )]
    AccountingOff {
        /// What the kernel says about `kern.racct.enable`.
        reason: &'static str,
    },
    /// A jail whose name cannot be said in an rctl(4) rule.
    #[error("jail {0:?} cannot have limits: a colon in its name would end it in a rule")]
    Unlimitable(String),
    /// The development host has nothing that does what a rule or a set of processors does.
    #[cfg(target_os = "linux")]
    #[error("development host: {what} cannot be emulated: {reason}")]
    NotEmulated {
        /// What was asked for.
        what: String,
        /// Why not.
        reason: String,
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
            Self::NulByte { .. }
            | Self::Undecodable { .. }
            | Self::AccountingOff { .. }
            | Self::Unlimitable(_) => None,
            #[cfg(target_os = "linux")]
            Self::NotEmulated { .. } => None,
            #[cfg(target_os = "linux")]
            Self::Emulation { source, .. } => source.raw_os_error().map(Errno::from_raw),
        }
    }

    /// Whether this host can enforce no such limit, whatever its amount.
    #[must_use]
    pub fn is_unenforceable(&self) -> bool {
        match self {
            Self::AccountingOff { .. } => true,
            #[cfg(target_os = "linux")]
            Self::NotEmulated { .. } => true,
            _ => false,
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
