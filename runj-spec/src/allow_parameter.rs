//! The names of jail(8)'s `allow.*` parameters.

use std::borrow::Borrow;

use crate::FileSystemType;
use crate::checked::{Checked, checked_string};

/// The name of one of jail(8)'s `allow.*` parameters without the `allow.`: `raw_sockets`,
/// `mount.nullfs`.
///
/// Which ones there are is the kernel's to say (modules add some), so the form alone is checked:
/// words of letters, digits and `_`, separated by dots, of which the last does not start with `no`,
/// the kernel's mark of a parameter that is turned off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllowParameter(String);

checked_string!(AllowParameter);

impl AllowParameter {
    /// The parameter that allows a container to mount file systems of one type.
    pub(crate) fn mount(file_system: &FileSystemType) -> Self {
        Self(format!("mount.{file_system}"))
    }

    /// A parameter of which this crate knows the name.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(name.to_owned())
    }
}

/// For look-ups by name.
impl Borrow<str> for AllowParameter {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Checked for AllowParameter {
    fn expected() -> String {
        "the name of an allow parameter of jail(8) without the \"allow.\", such as \"raw_sockets\""
            .to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        let legal = match text.rsplit_once('.') {
            Some((parents, last)) => parents.split('.').all(is_word) && is_switch(last),
            None => is_switch(text),
        };
        legal.then(|| Self(text.to_owned()))
    }
}

/// Whether `text` can be a part of a jail parameter's name.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether `text` can be the last part of such a name, which the kernel would not take for an order
/// to turn it off.
pub(crate) fn is_switch(text: &str) -> bool {
    is_word(text) && !text.starts_with("no")
}
