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

    /// The name of the container's jail: the id itself wherever the kernel allows that.
    ///
    /// Two kinds of id are legal and no jail names: one with dots, which the kernel reads as a path
    /// of jails (jail(8), "Hierarchical Jails"), and one of digits alone, which it reads as a jid.
    /// In these each dot, or the first digit, is percent-encoded. `%` occurs in no id, so the
    /// encoding is reversible and never ambiguous.
    #[must_use]
    pub fn jail_name(&self) -> String {
        let (first, rest) = match self.0.as_bytes() {
            [first, rest @ ..] if first.is_ascii_digit() && rest.iter().all(u8::is_ascii_digit) => {
                (format!("%{first:02x}"), &self.0[1..])
            }
            _ => (String::new(), self.0.as_str()),
        };
        format!("{first}{}", rest.replace('.', "%2e"))
    }
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn name(id: &str) -> String {
        id.parse::<ContainerId>().unwrap().jail_name()
    }

    #[test]
    fn the_name_is_the_id_where_it_can_be() {
        for id in ["web", "web-1_b+c", "7up", "0a"] {
            assert_eq!(name(id), id);
        }
        assert_eq!(name("a.b.c"), "a%2eb%2ec");
        assert_eq!(name("123"), "%3123");
        assert_eq!(name("0"), "%30");
        assert_eq!(name("1.2"), "1%2e2");
    }

    proptest! {
        #[test]
        fn no_two_ids_share_a_name(
            ids in prop::collection::hash_set("[a-c0-2_][a-c0-2_.+-]{0,5}", 2..60)
        ) {
            let mut names = HashMap::new();
            for id in ids {
                if let Some(other) = names.insert(name(&id), id.clone()) {
                    prop_assert!(false, "{} and {} share a name", id, other);
                }
            }
        }
    }
}
