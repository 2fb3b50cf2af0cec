//! What the checked types have in common: a text is such a value, or it is not and a message says
//! what is.

use crate::InvalidValue;

/// A type whose values are written as text.
pub(crate) trait Checked: Sized {
    /// What is allowed, in words that follow "expected".
    fn expected() -> String;

    /// The value that `text` stands for, if any.
    fn check(text: &str) -> Option<Self>;

    /// As [`check`](Checked::check), with an error that says what is allowed.
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        Self::check(text).ok_or_else(|| InvalidValue::new(text, Self::expected()))
    }
}

/// Implements for a type that is [`Checked`] and has `Display` what every such type offers:
/// `FromStr` and `Serialize`.
macro_rules! checked_text {
    ($type:ty) => {
        impl std::str::FromStr for $type {
            type Err = $crate::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::checked::Checked::parse(text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// [`checked_text`] for a type that holds the text itself: `AsRef<str>` and `Display` as well.
macro_rules! checked_string {
    ($type:ty) => {
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        $crate::checked::checked_text!($type);
    };
}

pub(crate) use {checked_string, checked_text};
