//! The sharing modes of a container's parts: for a jail's parameters, jail(8) calls them "jailsys".

use std::fmt;

use serde_json::Value;

use crate::checked::{Checked, checked_text};
use crate::quote::quote_text;
use crate::schema::{self, Text};

/// Defines one mode: its variants, and the word of the specification for each.
macro_rules! mode {
    ($(#[$attribute:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Checked for $name {
            fn expected() -> String {
                format!("one of {}", [$($word),+].map(quote_text).join(", "))
            }

            fn check(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl Text for $name {
            fn schema() -> Value {
                schema::word(&[$(($word, &[$($doc),+])),+])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $word,)+
                })
            }
        }

        checked_text!($name);
    };
}

mode! {
    /// Whose host name, domain name, host UUID and host id the container sees: jail(8) `host`.
    HostMode {
        /// Those of the parent.
        Inherit = "inherit",
        /// Its own.
        New = "new",
    }
}

mode! {
    /// Which addresses of one IP family the container may use: jail(8) `ip4` and `ip6`.
    IpMode {
        /// All of the parent's.
        Inherit = "inherit",
        /// Those listed for it.
        New = "new",
        /// None: the family is not there.
        Disable = "disable",
    }
}

mode! {
    /// Whose network stack the container uses: jail(8) `vnet`.
    VnetMode {
        /// The parent's.
        Inherit = "inherit",
        /// Its own.
        New = "new",
    }
}

mode! {
    /// Which System V IPC objects of one kind the container sees: jail(8) `sysvmsg`, `sysvsem` and
    /// `sysvshm`.
    SysvMode {
        /// The parent's too.
        Inherit = "inherit",
        /// Those that it made itself, in a key space of its own.
        New = "new",
        /// None: the system calls fail.
        Disable = "disable",
    }
}

mode! {
    /// Which resolver configuration, /etc/resolv.conf (resolv.conf(5)), the container has.
    ResolvConf {
        /// That of its root file system, if there is one.
        Unchanged = "none",
        /// The host's, read-only.
        Host = "host",
    }
}
