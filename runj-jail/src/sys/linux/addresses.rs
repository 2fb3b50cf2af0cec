//! The addresses of a jail, and what becomes of others (`netinet/in_jail.c`,
//! `netinet6/in6_jail.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// What a jail has of IPv4 or IPv6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Addresses<A> {
    /// Whether the jail was given a list of its own, even an empty one (`PR_IP4_USER`).
    pub(super) own: bool,
    /// The addresses that the jail is restricted to (`PR_IP4`): the primary one, then the others
    /// in order. An empty list means none at all, no list means no restriction.
    pub(super) list: Option<Vec<A>>,
}

/// An address of either family, with what is special in it.
pub(super) trait Address: Copy + Ord {
    /// Whether it stands for all addresses of the host.
    fn is_any(self) -> bool;
    /// Whether it is the loopback address.
    fn is_loopback(self) -> bool;
    /// Whether the kernel refuses it as the address of a jail.
    fn is_refused(self) -> bool;
}

impl Address for Ipv4Addr {
    fn is_any(self) -> bool {
        self.is_unspecified()
    }
    fn is_loopback(self) -> bool {
        // The one address, not its network.
        self == Self::LOCALHOST
    }
    fn is_refused(self) -> bool {
        self.is_unspecified() || self.is_broadcast()
    }
}

impl Address for Ipv6Addr {
    fn is_any(self) -> bool {
        self.is_unspecified()
    }
    fn is_loopback(self) -> bool {
        self == Self::LOCALHOST
    }
    fn is_refused(self) -> bool {
        self.is_unspecified()
    }
}

impl<A: Address> Addresses<A> {
    /// No restriction.
    pub(super) fn unrestricted() -> Self {
        Self { own: false, list: None }
    }

    /// A list of the jail's own: the first address stays first, the others are sorted.
    ///
    /// `EINVAL` when an address is none that a jail can have, or there twice.
    pub(super) fn own(mut list: Vec<A>) -> Result<Self, Errno> {
        if let Some((first, rest)) = list.split_first_mut() {
            rest.sort_unstable();
            let twice = rest.is_sorted_by(|a, b| a < b).then_some(()).is_none();
            if twice || rest.contains(first) {
                return Err(Errno::EINVAL);
            }
        }
        if list.iter().any(|address| address.is_refused()) {
            return Err(Errno::EINVAL);
        }
        Ok(Self { own: true, list: Some(list) })
    }

    /// What a child has that takes everything from its parent.
    pub(super) fn inherited(&self) -> Self {
        Self { own: false, list: self.list.clone() }
    }

    /// Whether the jail has nothing of this family.
    pub(super) fn is_none(&self) -> bool {
        self.list.as_ref().is_some_and(Vec::is_empty)
    }

    /// The addresses, where there is a restriction to some.
    pub(super) fn restriction(&self) -> Option<&[A]> {
        self.list.as_deref().filter(|list| !list.is_empty())
    }

    /// Whether an address may be a child's.
    pub(super) fn allows(&self, address: A) -> bool {
        self.list.as_ref().is_none_or(|list| list.contains(&address))
    }

    /// Follows a change of the parent's (`prison_restrict_ip4`).
    pub(super) fn restrict(&mut self, parent: &Self) {
        if !self.own {
            self.list = parent.list.clone();
        } else if let Some(list) = &mut self.list {
            list.retain(|&address| parent.allows(address));
        }
    }
}

/// The address that a socket of a jail with this `list` is bound to in place of `address`
/// (`prison_local_ip4`); `EADDRNOTAVAIL` when it is another's.
pub(super) fn local<A: Address>(list: &[A], address: A) -> Result<A, Errno> {
    match list {
        [] => Err(Errno::EAFNOSUPPORT),
        [only] if address.is_any() => Ok(*only),
        _ if address.is_any() || list.contains(&address) => Ok(address),
        [first, ..] if address.is_loopback() => Ok(*first),
        _ => Err(Errno::EADDRNOTAVAIL),
    }
}

/// The address that a socket of a jail with this `list` reaches in place of `address`
/// (`prison_remote_ip4`).
pub(super) fn remote<A: Address>(list: &[A], address: A) -> A {
    match list {
        [first, ..] if address.is_loopback() && !list.contains(&address) => *first,
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
    const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const C: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
    const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
    const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

    #[test]
    fn the_first_address_stays_and_the_others_are_sorted() {
        let own = |list: &[Ipv4Addr]| Addresses::own(list.to_vec()).map(|own| own.list.unwrap());
        assert_eq!(own(&[A, C, B]), Ok(vec![A, B, C]));
        assert_eq!(own(&[]), Ok(vec![]));
        for list in [&[A, A][..], &[A, B, B], &[A, B, A], &[ANY], &[A, Ipv4Addr::BROADCAST]] {
            assert_eq!(own(list), Err(Errno::EINVAL), "{list:?}");
        }
        assert_eq!(Addresses::own(vec![Ipv6Addr::UNSPECIFIED]), Err(Errno::EINVAL));
    }

    #[test]
    fn binding() {
        assert_eq!(local(&[A], ANY), Ok(A));
        assert_eq!(local(&[A, B], ANY), Ok(ANY));
        assert_eq!(local(&[A, B], B), Ok(B));
        assert_eq!(local(&[A, B], LOOPBACK), Ok(A));
        assert_eq!(local(&[A, LOOPBACK], LOOPBACK), Ok(LOOPBACK));
        assert_eq!(local(&[A, B], C), Err(Errno::EADDRNOTAVAIL));
        assert_eq!(local(&[A], Ipv4Addr::new(127, 0, 0, 2)), Err(Errno::EADDRNOTAVAIL));
        assert_eq!(local(&[], ANY), Err(Errno::EAFNOSUPPORT));
        let six = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 7);
        assert_eq!(local(&[six], Ipv6Addr::LOCALHOST), Ok(six));
    }

    #[test]
    fn connecting() {
        assert_eq!(remote(&[A, B], LOOPBACK), A);
        assert_eq!(remote(&[A, LOOPBACK], LOOPBACK), LOOPBACK);
        assert_eq!(remote(&[A], C), C);
    }

    #[test]
    fn a_child_follows_its_parent() {
        let parent = Addresses::own(vec![A, B]).unwrap();
        let mut own = Addresses::own(vec![C, B]).unwrap();
        own.restrict(&parent);
        assert_eq!(own.list, Some(vec![B]));
        let mut inherited = Addresses::unrestricted();
        inherited.restrict(&parent);
        assert_eq!(inherited.list, parent.list);
        own.restrict(&Addresses::unrestricted());
        assert_eq!(own.list, Some(vec![B]));
    }
}
