//! What a caller gives, for messages.

use std::fmt;

/// What a caller gives beside the documents of a bundle.
///
/// Messages have it by its [`name`](Self::name). Whoever has asked a person for it under another one,
/// a flag's for example, hands that to [`Error::line`](crate::Error::line).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The directory with the states of containers: [`Runtime::new`](crate::Runtime::new).
    StateDirectory,
    /// The bundle: [`CreateOptions::new`](crate::CreateOptions::new).
    Bundle,
    /// Who gets a terminal: [`Io::console_socket`](crate::Io::console_socket).
    ConsoleSocket,
    /// Where a pid is written: [`Io::pid_file`](crate::Io::pid_file).
    PidFile,
    /// The descriptors that a process keeps: [`Io::preserve_fds`](crate::Io::preserve_fds).
    PreserveFds,
    /// That a container is deleted though it runs: [`Runtime::delete`](crate::Runtime::delete).
    Force,
}

impl Input {
    /// What the library calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StateDirectory => "state directory",
            Self::Bundle => "bundle",
            Self::ConsoleSocket => "console socket",
            Self::PidFile => "pid file",
            Self::PreserveFds => "preserved descriptors",
            Self::Force => "force",
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
