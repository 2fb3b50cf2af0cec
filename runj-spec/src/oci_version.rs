//! The version of the OCI runtime specification that a bundle complies with.

use std::fmt;

use semver::Version;

use crate::checked::{Checked, checked_text};

/// A version of the OCI runtime specification that runj can run: any 1.x.y, pre-releases included.
///
/// The specification promises compatibility within a major version, and that unknown properties are
/// ignored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciVersion(Version);

checked_text!(OciVersion);

impl OciVersion {
    /// The lowest version that runj can run.
    pub const MIN: &'static str = "1.0.0";
    /// The version that runj implements. Of a later one it ignores what it does not know.
    pub const MAX: &'static str = "1.3.0";
}

impl Checked for OciVersion {
    fn expected() -> String {
        "a semantic version with major version 1, such as \"1.3.0\"".to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        Version::parse(text).ok().filter(|version| version.major == 1).map(Self)
    }
}

impl fmt::Display for OciVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
