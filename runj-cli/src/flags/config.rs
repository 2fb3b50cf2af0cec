//! The command line of `runj config`.

use std::path::PathBuf;

use runj_flags::{command, path, verbs};

use super::ListFormat;

command! {
    /// Look at a bundle's configuration, without making anything of it
    pub(crate) struct Config = "config" {
        pub(crate) verb: ConfigVerb = part(),
    }
}

verbs! {
    pub(crate) enum ConfigVerb {
        Check(ConfigCheck),
        Show(ConfigShow),
    }
}

command! {
    /// Say all that is wrong with a bundle, one line each
    pub(crate) struct ConfigCheck = "check" {
        /// The bundle: the directory with config.json and, if there is one, runj.ext.json
        pub(crate) bundle: PathBuf = operand("BUNDLE").default(".").path() => path,
    }
}

command! {
    /// Print what a bundle's documents say together, where, and the jail that it means
    pub(crate) struct ConfigShow = "show" {
        /// The bundle: the directory with config.json and, if there is one, runj.ext.json
        pub(crate) bundle: PathBuf = operand("BUNDLE").default(".").path() => path,
        /// The form of the output
        pub(crate) format: ListFormat =
            value("format", "FORMAT").short('f').choices(ListFormat::CHOICES).default("table"),
    }
}
