//! The command line of `runj completions` and `runj man`.

use std::path::PathBuf;

use runj_flags::{Shell, command, path};

command! {
    /// Print the completions of this command line for a shell
    pub(crate) struct Completions = "completions" {
        /// The shell
        pub(crate) shell: Shell = operand("SHELL").choices(Shell::CHOICES),
    }
}

command! {
    /// Write the man pages of this command line, one for each verb
    pub(crate) struct Man = "man" {
        /// The directory to write them to, such as /usr/local/share/man/man8
        pub(crate) dir: PathBuf = operand("DIR").path() => path,
    }
}
