//! The command lines of what `runj demo` leaves to a program of its own, `runj-demo`: they are in
//! `runj`, which has their help, completions and man pages, and in that program.
//!
//! ```
//! use clap::Parser;
//! use runj_demo::Flags;
//!
//! let flags = Flags::parse_from(["runj-demo", "download", "--release", "14.3"]);
//! let args: Vec<_> = flags.verb.args().collect();
//! assert_eq!(args[..2], ["download", "--release=14.3-RELEASE"]);
//! assert_eq!(Flags::parse_from(["runj-demo".into()].into_iter().chain(args)), flags);
//! ```

mod arch;
mod download;
mod oci_image;

use std::ffi::{OsStr, OsString};

use clap::{Parser, Subcommand};

pub use self::arch::Arch;
pub use self::download::Download;
pub use self::oci_image::OciImage;

/// Download FreeBSD's base system and make images of it, for runj demo
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "runj-demo", version, disable_help_subcommand = true)]
pub struct Flags {
    /// What it does.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What `runj-demo` does.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
// What is said of a verb is its help, and the help of both is with their flags.
#[allow(missing_docs)]
pub enum Verb {
    Download(Download),
    OciImage(OciImage),
}

impl Verb {
    /// The command line that says the same.
    pub fn args(&self) -> impl Iterator<Item = OsString> + use<> {
        let (verb, args) = match self {
            Self::Download(download) => ("download", download.args()),
            Self::OciImage(image) => ("oci-image", image.args()),
        };
        [verb.into()].into_iter().chain(args)
    }
}

/// A flag with its value in one, since a value may look like a flag.
fn flag(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut flag = OsString::from(name);
    flag.push("=");
    flag.push(value);
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_handed_on_says_the_same() {
        for line in [
            &["download"][..],
            &["download", "-v", "13.2", "-a", "arm64", "-o", "odd"],
            &["download", "--version=13.2-RELEASE", "--architecture", "amd64"],
            &["download", "--mirror", "http://localhost:1/x", "--output=-a b"],
            &["oci-image"],
            &["oci-image", "--small", "-a", "arm64", "-n", "example.org/x:1", "--", "-dir"],
        ] {
            let parsed = Flags::try_parse_from(["runj-demo"].iter().chain(line)).unwrap();
            let args = ["runj-demo".into()].into_iter().chain(parsed.verb.args());
            let again = Flags::try_parse_from(args);
            assert_eq!(again.unwrap(), parsed, "{line:?}");
        }
    }

    #[test]
    fn a_release_is_nothing_that_leads_elsewhere() {
        for release in ["", "RELEASE", "../13.2-RELEASE", "13.2/..", "13.2?x", "13 2"] {
            let line = ["runj-demo", "download", "--release", release];
            assert!(Flags::try_parse_from(line).is_err(), "{release}");
        }
    }
}
