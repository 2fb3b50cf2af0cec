//! The command lines of what `runj demo` leaves to a program of its own, `runj-demo`: they are in
//! `runj`, which has their help, completions and man pages, and in that program.
//!
//! ```
//! use runj_demo::{Flags, Verb};
//!
//! let flags: Flags = runj_flags::parse(["download", "--release", "14.3"].map(Into::into))?;
//! let Verb::Download(download) = &flags.verb else { panic!() };
//! assert_eq!(download.line()[..2], ["download", "--release=14.3-RELEASE"]);
//! assert_eq!(runj_flags::parse::<Flags>(download.line())?, flags);
//! # Ok::<(), runj_flags::Stop>(())
//! ```

mod arch;
mod download;
mod oci_image;
mod tls;

use std::ffi::{OsStr, OsString};

use runj_flags::{command, verbs};

pub use self::arch::Arch;
pub use self::download::Download;
pub use self::oci_image::OciImage;
pub use self::tls::processor_has_tls;

command! {
    /// Download FreeBSD's base system and make images of it, for runj demo
    pub struct Flags = "runj-demo" {
        /// What it does.
        pub verb: Verb = part(),
    }
}

verbs! {
    /// What `runj-demo` does.
    pub enum Verb {
        Download(Download),
        OciImage(OciImage),
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
    use runj_flags::Stop;

    use super::*;

    fn parsed(line: &[&str]) -> Result<Flags, Stop> {
        runj_flags::parse(line.iter().map(Into::into))
    }

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
            let flags = parsed(line).unwrap();
            let handed_on = match &flags.verb {
                Verb::Download(download) => download.line(),
                Verb::OciImage(image) => image.line(),
            };
            assert_eq!(runj_flags::parse::<Flags>(handed_on).unwrap(), flags, "{line:?}");
        }
    }

    #[test]
    fn a_release_is_nothing_that_leads_elsewhere() {
        for release in ["", "RELEASE", "../13.2-RELEASE", "13.2/..", "13.2?x", "13 2"] {
            assert!(parsed(&["download", "--release", release]).is_err(), "{release}");
        }
    }
}
