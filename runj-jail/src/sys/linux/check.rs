//! What a jail may have, given its parent and the other jails.

use nix::errno::Errno;

use super::addresses::{Address, Addresses};
use super::namespaces::Kind;
use super::options::Options;
use super::prison::{Prison, Prisons, SYSV, Sysv};
use super::request::{Request, bare, refused};
use crate::error::Error;
use crate::param::Jailsys;

/// What depends on the parent and on other jails.
pub(super) fn check(
    prisons: &Prisons,
    prison: &Prison,
    parent: &Prison,
    request: &Request<'_>,
) -> Result<(), Error> {
    let weaker = request.securelevel.is_some_and(|level| level < parent.securelevel)
        || request.children_max.is_some_and(|max| max >= parent.children_max)
        || request.enforce_statfs.is_some_and(|level| level < parent.enforce_statfs);
    if weaker {
        return Err(bare(Errno::EPERM));
    }
    if request.devfs_ruleset.is_some_and(|number| u16::try_from(number).is_err()) {
        return Err(bare(Errno::EINVAL));
    }
    let asked = &request.ip4.addresses;
    addresses(prisons, prison, parent, asked, |of| &of.ip4, "IPv4 addresses clash")?;
    let asked = &request.ip6.addresses;
    addresses(prisons, prison, parent, asked, |of| &of.ip6, "IPv6 addresses clash")
}

/// Whether a jail may have those addresses: its parent must have them, and no other jail that
/// uses the same network stack, unless each of the two has that one alone.
fn addresses<A: Address>(
    prisons: &Prisons,
    prison: &Prison,
    parent: &Prison,
    asked: &[A],
    of: impl Fn(&Prison) -> &Addresses<A>,
    clash: &str,
) -> Result<(), Error> {
    if !asked.iter().all(|&address| of(parent).allows(address)) {
        return Err(bare(Errno::EPERM));
    }
    let stack = prisons.owner(parent, Kind::Net).jid;
    let taken = prisons
        .iter()
        .filter(|other| other.jid != prison.jid && other.jid != stack && !other.dying)
        .filter(|other| !prisons.descendants(prison.jid).contains(&other.jid))
        .filter(|other| prisons.owner(other, Kind::Net).jid == stack)
        .filter(|other| of(other).own)
        .filter_map(|other| of(other).restriction())
        .filter(|list| list.len() > 1 || asked.len() > 1)
        .any(|list| asked.iter().any(|address| list.contains(address)));
    if taken { Err(refused(Errno::EADDRINUSE, clash)) } else { Ok(()) }
}

/// What is checked last: permissions, System V IPC, and whether everything is known at all.
pub(super) fn check_last(
    parent: &Prison,
    request: &Request<'_>,
    options: &Options<'_>,
) -> Result<[Option<Sysv>; 3], Error> {
    // A parent need not have that one itself (PR_ALLOW_DIFFERENCES).
    let exempt = |name: &str| name == "allow.unprivileged_proc_debug";
    if request.allow.iter().any(|(name, on)| *on && !exempt(name) && !parent.allows(name)) {
        return Err(bare(Errno::EPERM));
    }
    let by_flag = request.allow.iter().find(|(name, _)| *name == "allow.sysvipc");
    let mut modes = [None; 3];
    for ((name, parent), mode) in SYSV.iter().zip(parent.sysv).zip(&mut modes) {
        let asked = options.int(name).map_err(bare)?;
        *mode = match asked.map(Jailsys::from_raw) {
            Some(Some(Jailsys::Disable)) => Some(Sysv::Disabled),
            Some(Some(_)) if parent == Sysv::Disabled => return Err(bare(Errno::EPERM)),
            Some(Some(Jailsys::New)) => Some(Sysv::Own),
            Some(Some(Jailsys::Inherit)) => Some(Sysv::Inherited),
            Some(None) => return Err(bare(Errno::EINVAL)),
            None => match by_flag {
                Some((_, true)) if parent == Sysv::Disabled => None,
                Some((_, true)) => Some(Sysv::Inherited),
                Some((_, false)) => Some(Sysv::Disabled),
                None => None,
            },
        };
    }
    match options.unknown() {
        Some(name) => Err(refused(Errno::EINVAL, format!("unknown parameter: {name}"))),
        None => Ok(modes),
    }
}
