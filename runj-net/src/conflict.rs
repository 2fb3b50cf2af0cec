//! What a network configuration must not ask for.

use std::fmt;
use std::net::IpAddr;

use runj_spec::{InterfaceName, IpMode, Origin, Sourced};

/// Every [`Conflict`] of one configuration, so that they can be put right in one go.
///
/// Displays on one line, the conflicts separated by `; `. The first [`Refused::MAX_KEPT`] are kept
/// and the rest counted: a list of addresses can be long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    kept: Vec<Conflict>,
    beyond: usize,
}

impl Refused {
    /// The most conflicts that are kept.
    pub const MAX_KEPT: usize = 100;

    /// These conflicts, if there is one.
    pub(crate) fn of(mut conflicts: Vec<Conflict>) -> Option<Self> {
        let beyond = conflicts.len().saturating_sub(Self::MAX_KEPT);
        conflicts.truncate(Self::MAX_KEPT);
        (!conflicts.is_empty()).then_some(Self { kept: conflicts, beyond })
    }

    /// The conflicts that are kept, at least one.
    #[must_use]
    pub fn conflicts(&self) -> &[Conflict] {
        &self.kept
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, conflict) in self.kept.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{conflict}")?;
        }
        match self.beyond {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Values that are right by themselves and wrong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// A network stack of the jail's own, and addresses of its parent's. The kernel refuses the two
    /// together, even `ip4=inherit` (`kern_jail_set`, "vnet jails cannot have IP address
    /// restrictions").
    #[error(
        "{vnet}: a network stack of the container's own is not allowed together with {}: expected \
         vnet \"new\" or interfaces to move in, or else modes and addresses of IPv4 and IPv6",
        Places(restrictions)
    )]
    AddressesInVnet {
        /// What asks for the stack: the mode, or an interface to move in.
        vnet: Origin,
        /// The modes and addresses.
        restrictions: Vec<Origin>,
    },
    /// An interface of the host to add addresses to, and a network stack of the jail's own, which
    /// takes none.
    #[error(
        "{}: {:?} is not allowed together with {vnet}: expected no interface for addresses where \
         the container has a network stack of its own",
        interface.origin,
        interface.value.as_ref()
    )]
    AliasesInVnet {
        /// The interface.
        interface: Sourced<InterfaceName>,
        /// What asks for the stack: the mode, or an interface to move in.
        vnet: Origin,
    },
    /// Addresses beside a mode that leaves no room for them. The kernel takes the addresses and
    /// drops the mode, without a word.
    #[error(
        "{}: \"{}\" is not allowed together with {}: expected \"new\" or no mode where addresses \
         are listed",
        mode.origin,
        mode.value,
        Places(addresses)
    )]
    AddressesBesideMode {
        /// The mode: inherit or disable.
        mode: Sourced<IpMode>,
        /// The addresses.
        addresses: Vec<Origin>,
    },
    /// An address that is listed already; the kernel refuses the whole list, without a word.
    #[error("{}: {} is not allowed twice, see {first}: expected each address once", again.origin, again.value)]
    AddressTwice {
        /// The address, where it stands again.
        again: Sourced<IpAddr>,
        /// Where it stands first.
        first: Origin,
    },
    /// A prefix length that nothing would use: a jail's addresses have none, an alias on an
    /// interface has.
    #[error(
        "{}: {}/{prefix} is not allowed without an interface: expected an address without prefix \
         length, or the interface that is to carry the addresses (freebsd.jail.interface)",
        address.origin,
        address.value
    )]
    PrefixWithoutInterface {
        /// The address.
        address: Sourced<IpAddr>,
        /// The prefix length in bits.
        prefix: u8,
    },
    /// Interfaces for a network stack that is the parent's.
    #[error(
        "{vnet}: \"inherit\" is not allowed together with {}: expected \"new\" or no mode where \
         interfaces are moved in",
        Places(interfaces)
    )]
    InterfacesWithoutVnet {
        /// The mode.
        vnet: Origin,
        /// The interfaces.
        interfaces: Vec<Origin>,
    },
    /// An interface that is listed already, and can move only once.
    #[error(
        "{}: {:?} is not allowed twice, see {first}: expected each interface once",
        again.origin,
        again.value.as_ref()
    )]
    InterfaceTwice {
        /// The interface, where it stands again.
        again: Sourced<InterfaceName>,
        /// Where it stands first.
        first: Origin,
    },
}

/// Places in the bundle, in words: `a`, `a and b`, `a, b and c`. Of a long list, the first few.
pub(crate) struct Places<'a>(pub(crate) &'a [Origin]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        let (shown, beyond) = self.0.split_at(self.0.len().min(SHOWN));
        for (index, place) in shown.iter().enumerate() {
            let last = index + 1 == shown.len() && beyond.is_empty();
            let separator = match index {
                0 => "",
                _ if last => " and ",
                _ => ", ",
            };
            write!(f, "{separator}{place}")?;
        }
        match beyond.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
