//! Jail names.

use std::fmt;
use std::str::FromStr;

/// The name of a jail, in full: `child` or `parent.child` (jail(8), "Hierarchical Jails").
///
/// The rules are those of `kern_jail_set`: at most 255 bytes, no empty component, and no
/// component that is a number, since the kernel takes a number for a jid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JailName(String);

/// Why a text is not the name of a jail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a jail name: {reason}")]
pub struct BadJailName {
    name: String,
    reason: &'static str,
}

/// `MAXHOSTNAMELEN` less its NUL: the longest full name that `kern_jail_set` takes.
const LONGEST: usize = 255;

impl JailName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the jail that this one is a child of, if it is one.
    #[must_use]
    pub fn parent(&self) -> Option<JailName> {
        self.0.rsplit_once('.').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The name of a child of this jail.
    ///
    /// # Errors
    ///
    /// When `child`, or the whole, breaks a rule above.
    pub fn child(&self, child: &str) -> Result<JailName, BadJailName> {
        format!("{}.{child}", self.0).parse()
    }
}

impl FromStr for JailName {
    type Err = BadJailName;

    fn from_str(name: &str) -> Result<Self, BadJailName> {
        let bad = |reason| Err(BadJailName { name: name.to_owned(), reason });
        if name.len() > LONGEST {
            return bad("it is longer than 255 bytes");
        }
        if name.contains('\0') {
            return bad("it contains a NUL byte");
        }
        for component in name.split('.') {
            if component.is_empty() {
                return bad("it, or a part between its dots, is empty");
            }
            // strtoul(9) decides in the kernel, and takes white space and a sign as well.
            let unsigned = component.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let unsigned = unsigned.strip_prefix(['+', '-']).unwrap_or(unsigned);
            if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
                return bad("it, or a part between its dots, is a number, which means a jid");
            }
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for JailName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for JailName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_kernel_takes() {
        for name in ["web", "a.b.c", "7up", "a%2eb", "x-1_y", &"n".repeat(255)] {
            assert_eq!(name.parse::<JailName>().unwrap().as_str(), name);
        }
        let name: JailName = "a.b".parse().unwrap();
        assert_eq!(name.parent().unwrap().as_str(), "a");
        assert_eq!(name.child("c").unwrap().as_str(), "a.b.c");
        assert_eq!("a".parse::<JailName>().unwrap().parent(), None);
    }

    #[test]
    fn names_that_the_kernel_refuses_or_takes_for_a_jid() {
        let long = "n".repeat(256);
        for name in ["", ".", "a.", ".a", "a..b", "7", "007", "a.7", "+7", " 7", "a\0b", &long] {
            assert!(name.parse::<JailName>().is_err(), "{name:?}");
        }
    }
}
