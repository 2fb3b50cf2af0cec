//! One of several words.

/// A word that a flag or an operand may have for its value.
#[derive(Debug)]
pub struct Choice {
    /// The word.
    pub word: &'static str,
    /// What it means, as a doc comment has it.
    pub about: &'static str,
}

/// `one of a, b`
#[doc(hidden)]
pub fn one_of(choices: &[Choice]) -> String {
    format!("one of {}", words(choices, ", "))
}

/// Their words, with that between them.
pub(crate) fn words(choices: &[Choice], between: &str) -> String {
    choices.iter().map(|choice| choice.word).collect::<Vec<_>>().join(between)
}

/// Defines an enum whose variants are words of a command line, with `CHOICES`, [`FromStr`] and
/// [`Display`].
///
/// [`FromStr`]: std::str::FromStr
/// [`Display`]: std::fmt::Display
#[macro_export]
macro_rules! choices {
    (
        $(#[$outer:meta])*
        $visibility:vis enum $type:ident {
            $( $(#[doc = $about:literal])* $variant:ident = $word:literal ),* $(,)?
        }
    ) => {
        $(#[$outer])*
        $visibility enum $type {
            $( $(#[doc = $about])* $variant, )*
        }

        impl $type {
            /// The words, in their order.
            $visibility const CHOICES: &'static [$crate::Choice] =
                &[$( $crate::Choice { word: $word, about: concat!($($about, "\n"),*) } ),*];
        }

        impl ::std::str::FromStr for $type {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $( $word => Ok(Self::$variant), )*
                    _ => Err($crate::expected(word.as_ref(), &$crate::one_of(Self::CHOICES))),
                }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(match self {
                    $( Self::$variant => $word, )*
                })
            }
        }
    };
}
