//! Jail identifiers.

use std::fmt;
use std::num::NonZero;

/// The identifier of a jail: a positive number that the kernel hands out (jail(2)).
///
/// 0 is the host itself ("prison0") and never a jail that runj may touch, so it is no `Jid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid(NonZero<u32>);

/// A number that is not the identifier of a jail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a jail id: expected a number from 1 to 2147483647")]
pub struct BadJid(i64);

impl Jid {
    /// The jid as the system calls take it.
    #[must_use]
    pub fn as_raw(self) -> i32 {
        self.0.get().cast_signed()
    }
}

impl TryFrom<i32> for Jid {
    type Error = BadJid;

    fn try_from(raw: i32) -> Result<Self, BadJid> {
        u32::try_from(raw).ok().and_then(NonZero::new).map(Self).ok_or(BadJid(raw.into()))
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_numbers_are_jids() {
        assert_eq!(Jid::try_from(7).unwrap().as_raw(), 7);
        assert_eq!(Jid::try_from(i32::MAX).unwrap().as_raw(), i32::MAX);
        for raw in [0, -1, i32::MIN] {
            assert_eq!(Jid::try_from(raw), Err(BadJid(raw.into())));
        }
    }
}
