//! The identity of a container.

use serde::{Deserialize, Deserializer, de};

use crate::checked::{Checked, checked_string};

/// The id of a container, as `runj create` takes it.
///
/// 1 to 255 bytes: ASCII letters, digits, `_`, `.`, `+` and `-`, the first of them a letter, a
/// digit or `_`. That admits what containerd (`pkg/identifiers`), podman (64 hexadecimal digits)
/// and buildah use, and nothing that could leave a directory when it is used as a file name.
///
/// ```
/// use runj_spec::ContainerId;
///
/// let id: ContainerId = "web-1.prod".parse()?;
/// assert_eq!(id.as_ref(), "web-1.prod");
/// assert!("..".parse::<ContainerId>().is_err());
/// # Ok::<(), runj_spec::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

checked_string!(ContainerId);

impl ContainerId {
    /// The most bytes of an id: NAME_MAX, since a directory is named after it, and the most of a jail's
    /// name, since a jail is.
    const MAX_BYTES: usize = 255;
}

impl Checked for ContainerId {
    fn expected() -> String {
        format!(
            "a container id of 1 to {} bytes: letters, digits, '_', '.', '+' or '-', starting with a letter, a digit or '_'",
            Self::MAX_BYTES
        )
    }

    fn check(text: &str) -> Option<Self> {
        let starts = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let (first, rest) = text.as_bytes().split_first()?;
        let legal = starts(*first)
            && rest.iter().all(|byte| starts(*byte) || matches!(byte, b'.' | b'+' | b'-'))
            && text.len() <= Self::MAX_BYTES;
        legal.then(|| Self(text.to_owned()))
    }
}

impl TryFrom<String> for ContainerId {
    type Error = crate::InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl<'de> Deserialize<'de> for ContainerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
