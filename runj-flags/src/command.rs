//! Commands, and the macros that define them.

use crate::item::Role;
use crate::{Given, Item, Misuse};

/// What can be taken of a command line: a command, or a part that several have.
pub trait Takes: Sized {
    /// What it is for, as its doc comment has it.
    const ABOUT: &'static str = "";
    /// What may be given.
    const ITEMS: &'static [Item];

    /// Takes what was given.
    ///
    /// # Errors
    ///
    /// Something is missing or not allowed.
    fn take(given: &mut Given) -> Result<Self, Misuse>;
}

/// A command: the program, or a verb of it.
pub trait Command: Takes {
    /// What it is.
    const COMMAND: &'static Definition;
}

/// What a command is called, is for, and takes.
#[derive(Debug)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// What it does: one line, and after an empty one what else there is to say.
    pub about: &'static str,
    /// What may be given.
    pub items: &'static [Item],
}

impl Definition {
    /// What may be given, that of its parts among it.
    pub(crate) fn items(&self) -> Vec<&'static Item> {
        let mut all = Vec::with_capacity(32);
        self.items.iter().for_each(|item| item.spread(&mut all));
        all
    }

    /// Its verbs, if it has some.
    pub fn verbs(&self) -> &'static [&'static Self] {
        let verbs = self.items().into_iter().find_map(|item| match item.role {
            Role::Verbs(verbs) => Some(verbs),
            _ => None,
        });
        verbs.unwrap_or_default()
    }

    /// The flags that the help tells of, by their names without dashes.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.items().into_iter().filter(|item| item.is_flag() && !item.hidden).map(|item| item.name)
    }
}

/// Calls `seen` with this command and each one below it, each with those that lead to it.
pub(crate) fn walk(path: &[&'static Definition], seen: &mut dyn FnMut(&[&'static Definition])) {
    seen(path);
    let verbs = path.last().map(|command| command.verbs()).unwrap_or_default();
    for verb in verbs {
        walk(&[path, &[verb]].concat(), seen);
    }
}

/// Defines a struct that is a command, or without a name a part that several commands have: see the
/// [documentation of the crate](crate).
///
/// The struct has the doc comments and derives `Clone`, `Debug`, `PartialEq` and `Eq`.
///
/// Each field is `NAME: TYPE = KIND(…)`, where the kind is a function of [`Item`], after which further
/// ones may say more, and behind `=>` may be what makes the value of a word: [`text`](crate::text()), if
/// there is none. `part()` is for another type that takes something.
#[macro_export]
macro_rules! command {
    (
        $(#[doc = $about:literal])*
        $visibility:vis struct $type:ident $(= $name:literal)? {
            $(
                $(#[doc = $help:literal])*
                $field_visibility:vis $field:ident : $field_type:ty =
                    $kind:ident ( $($argument:expr),* )
                    $( . $more:ident ( $($value:expr),* ) )*
                    $( => $parse:path )?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $visibility struct $type {
            $( $(#[doc = $help])* $field_visibility $field: $field_type, )*
        }

        impl $crate::Takes for $type {
            const ABOUT: &'static str = concat!($($about, "\n"),*);
            const ITEMS: &'static [$crate::Item] = &[
                $(
                    $crate::__item!($kind [$field_type] $($argument),*)
                        .about(concat!($($help, "\n"),*))
                        $( .$more($($value),*) )*
                ),*
            ];

            fn take(given: &mut $crate::Given) -> Result<Self, $crate::Misuse> {
                Ok(Self {
                    $(
                        $field: $crate::__take!(
                            $kind given,
                            const {
                                &$crate::__item!($kind [$field_type] $($argument),*)
                                    $( .$more($($value),*) )*
                            },
                            $($parse)?
                        )?,
                    )*
                })
            }
        }

        $(
            impl $crate::Command for $type {
                const COMMAND: &'static $crate::Definition = &$crate::Definition {
                    name: $name,
                    about: <Self as $crate::Takes>::ABOUT,
                    items: <Self as $crate::Takes>::ITEMS,
                };
            }
        )?
    };
}

/// The table's entry for a field.
#[doc(hidden)]
#[macro_export]
macro_rules! __item {
    (part [$type:ty]) => { $crate::Item::part(<$type as $crate::Takes>::ITEMS) };
    ($kind:ident [$type:ty] $($argument:expr),*) => { $crate::Item::$kind($($argument),*) };
}

/// The value of a field.
#[doc(hidden)]
#[macro_export]
macro_rules! __take {
    (part $given:ident, $item:expr,) => {
        $crate::Takes::take($given)
    };
    (switch $given:ident, $item:expr,) => {
        $given.switch($item)
    };
    ($kind:ident $given:ident, $item:expr,) => {
        $given.$kind($item, $crate::text)
    };
    ($kind:ident $given:ident, $item:expr, $parse:path) => {
        $given.$kind($item, $parse)
    };
}

/// Defines an enum with a variant for each of several commands, of which one is given.
#[macro_export]
macro_rules! verbs {
    (
        $(#[$outer:meta])*
        $visibility:vis enum $type:ident { $( $variant:ident($command:ty) ),* $(,)? }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        // What is said of a verb is its help, which its type has.
        #[allow(missing_docs)]
        $visibility enum $type {
            $( $variant($command), )*
        }

        impl $crate::Takes for $type {
            const ITEMS: &'static [$crate::Item] =
                &[$crate::Item::verbs(&[$( <$command as $crate::Command>::COMMAND ),*])];

            fn take(given: &mut $crate::Given) -> Result<Self, $crate::Misuse> {
                let verb = given.verb()?;
                $(
                    if verb == <$command as $crate::Command>::COMMAND.name {
                        return Ok(Self::$variant($crate::Takes::take(given)?));
                    }
                )*
                Err($crate::Misuse::NoVerb(verb.to_owned()))
            }
        }
    };
}
