//! An address that a container may use.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::InvalidValue;
use crate::checked::Checked;
use crate::schema::Text;

/// The IP families: [`Ipv4Addr`] and [`Ipv6Addr`].
pub trait AddressFamily: family::Family {}

impl AddressFamily for Ipv4Addr {}
impl AddressFamily for Ipv6Addr {}

mod family {
    use super::{Ipv4Addr, Ipv6Addr};

    /// What this crate needs to know of a family. Not for others to implement.
    pub trait Family:
        Copy + Ord + std::hash::Hash + std::fmt::Debug + std::fmt::Display + std::str::FromStr
    {
        const BITS: u8;
        const EXPECTED: &'static str;
        /// The prefix lengths, as a regular expression (ECMA 262).
        const PREFIXES: &'static str;
        /// The texts of addresses that are not assignable, as a regular expression.
        const UNASSIGNABLE: &'static str;

        /// The texts of addresses, as a regular expression.
        fn pattern() -> String;

        /// Whether the kernel lets a jail have the address (kern_jail_set refuses the others with a
        /// bare EINVAL).
        fn is_assignable(self) -> bool;
    }

    impl Family for Ipv4Addr {
        const BITS: u8 = 32;
        const EXPECTED: &'static str = "an IPv4 address other than 0.0.0.0 and 255.255.255.255, optionally with a prefix length from 0 to 32, such as \"192.0.2.1\" or \"192.0.2.1/24\"";
        const PREFIXES: &'static str = "(3[0-2]|[12]?[0-9])";
        const UNASSIGNABLE: &'static str = "(0\\.0\\.0\\.0|255\\.255\\.255\\.255)";

        fn pattern() -> String {
            let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
            format!("({octet}\\.){{3}}{octet}")
        }

        fn is_assignable(self) -> bool {
            !self.is_unspecified() && !self.is_broadcast()
        }
    }

    impl Family for Ipv6Addr {
        const BITS: u8 = 128;
        const EXPECTED: &'static str = "an IPv6 address other than ::, optionally with a prefix length from 0 to 128, such as \"2001:db8::1\" or \"2001:db8::1/64\"";
        const PREFIXES: &'static str = "(12[0-8]|1[01][0-9]|[1-9]?[0-9])";
        const UNASSIGNABLE: &'static str = "[0:.]*";

        /// RFC 4291, section 2.2: eight groups, or fewer with one `::` among them; an IPv4 address
        /// can stand for the last two.
        fn pattern() -> String {
            let (group, ip4) = ("[0-9A-Fa-f]{1,4}", Ipv4Addr::pattern());
            let mut forms = vec![format!("({group}:){{6}}({group}:{group}|{ip4})")];
            for before in 0..=7 {
                let head = match before {
                    0 => String::new(),
                    1 => group.to_owned(),
                    _ => format!("{group}(:{group}){{{}}}", before - 1),
                };
                let tail = match 7 - before {
                    0 => String::new(),
                    1 => format!("({group})?"),
                    most => {
                        let (groups, beside_ip4) = (most - 1, most - 2);
                        format!(
                            "({group}(:{group}){{0,{groups}}}|({group}:){{0,{beside_ip4}}}{ip4})?"
                        )
                    }
                };
                forms.push(format!("{head}::{tail}"));
            }
            format!("({})", forms.join("|"))
        }

        fn is_assignable(self) -> bool {
            !self.is_unspecified()
        }
    }
}

/// An address of a container, and the length of its network prefix if one was given: jail(8)
/// `ip4.addr` and `ip6.addr`. The prefix matters to an alias on an interface only; without one, the
/// alias is a single host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddress<A> {
    address: A,
    prefix: Option<u8>,
}

impl<A: AddressFamily> IpAddress<A> {
    /// The address. Never the unspecified one, nor the IPv4 broadcast address.
    pub fn address(&self) -> A {
        self.address
    }

    /// The prefix length in bits, if given: at most 32 for IPv4, 128 for IPv6.
    pub fn prefix(&self) -> Option<u8> {
        self.prefix
    }
}

impl<A: AddressFamily> Checked for IpAddress<A> {
    fn expected() -> String {
        A::EXPECTED.to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(check_prefix(prefix, A::BITS)?)),
            None => (text, None),
        };
        let address = A::from_str(address).ok()?;
        address.is_assignable().then_some(Self { address, prefix })
    }
}

impl<A: AddressFamily> Text for IpAddress<A> {
    fn schema() -> Value {
        let (address, prefixes) = (A::pattern(), A::PREFIXES);
        json!({
            "type": "string",
            "pattern": format!("^{address}(/{prefixes})?$"),
            "not": { "pattern": format!("^{}(/|$)", A::UNASSIGNABLE) },
        })
    }
}

/// Reads a prefix length. `u8::from_str` alone would also take a sign and leading zeros.
fn check_prefix(text: &str, bits: u8) -> Option<u8> {
    let prefix: u8 = text.parse().ok()?;
    (prefix <= bits && prefix.to_string() == text).then_some(prefix)
}

impl<A: AddressFamily> FromStr for IpAddress<A> {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Checked::parse(text)
    }
}

impl<A: AddressFamily> fmt::Display for IpAddress<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            Some(prefix) => write!(formatter, "{}/{prefix}", self.address),
            None => write!(formatter, "{}", self.address),
        }
    }
}

impl<A: AddressFamily> Serialize for IpAddress<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
