//! `jail_get(2)`: finding jails and reading their parameters (`kern_jail_get`).

use std::slice;

use nix::errno::Errno;

use super::addresses::Addresses;
use super::names::{self, Names};
use super::options::Options;
use super::prison::{ALLOW, Prison, Prisons, SYSV, Sysv};
use super::registry::Registry;
use crate::encode::{RawParam, Wanted};
use crate::error::Error;
use crate::jid::Jid;
use crate::param::Jailsys;

/// `jail_get(2)`: the jid of the jail that `key` names, and the values of `wanted`.
pub(crate) fn jail_get(
    key: &RawParam,
    wanted: &[Wanted],
    dying: bool,
) -> Result<(Jid, Vec<Vec<u8>>), Error> {
    let keys = slice::from_ref(key);
    let options = Options::new(keys).map_err(|errno| refused(errno, None))?;
    let jid = options.int("jid").map_err(|errno| refused(errno, None))?;
    let registry = jid.map_or_else(Registry::open, Registry::open_for)?;
    let prisons = registry.prisons();
    let prison = find(prisons, &options, dying)?;
    let jid = Jid::try_from(prison.jid).map_err(|_| refused(Errno::EINVAL, None))?;
    // Looking at these takes a thread.
    let names = if wanted.iter().any(|parameter| parameter.name.to_bytes().starts_with(b"host.")) {
        names::of(prisons, prison)?
    } else {
        Names::default()
    };
    let view = View { prisons, prison, names };
    let values = wanted.iter().map(|parameter| {
        let name = parameter.name.to_string_lossy();
        let unknown = || refused(Errno::EINVAL, Some(format!("unknown parameter: {name}")));
        view.value(&name).ok_or_else(unknown)
    });
    Ok((jid, values.collect::<Result<_, _>>()?))
}

fn find<'a>(prisons: &'a Prisons, options: &Options<'_>, dying: bool) -> Result<&'a Prison, Error> {
    let int = |name| options.int(name).map_err(|errno| refused(errno, None));
    let absent = |message: String| refused(Errno::ENOENT, Some(message));

    if let Some(last) = int("lastjid")? {
        return prisons
            .iter()
            .find(|prison| prison.jid > last && (dying || !prison.dying))
            .ok_or_else(|| absent(format!("no jail after {last}")));
    }
    let (found, called) = if let Some(jid) = int("jid")? {
        (prisons.find(jid), format!("jail {jid}"))
    } else if let Some(name) =
        options.string("name", usize::MAX).map_err(|errno| refused(errno, None))?
    {
        (prisons.by_name(name), format!("jail \"{name}\""))
    } else {
        return Err(absent("no jail specified".into()));
    };
    match found {
        Some(prison) if prison.dying && !dying => Err(absent(format!("{called} is dying"))),
        Some(prison) => Ok(prison),
        None => Err(absent(format!("{called} not found"))),
    }
}

/// A jail, to be read.
struct View<'a> {
    prisons: &'a Prisons,
    prison: &'a Prison,
    names: Names,
}

impl View<'_> {
    /// The value of a parameter as the kernel lays it out; `None` when it has no such parameter.
    fn value(&self, name: &str) -> Option<Vec<u8>> {
        let prison = self.prison;
        Some(match name {
            "jid" => int(prison.jid),
            "parent" => int(prison.parent),
            "name" => string(&prison.name),
            "path" => string(&prison.path),
            "securelevel" => int(prison.securelevel),
            "children.cur" => {
                int(i32::try_from(self.prisons.descendants(prison.jid).len()).unwrap_or(i32::MAX))
            }
            "children.max" => int(prison.children_max),
            "host.hostname" => string(&self.names.host),
            "host.domainname" => string(&self.names.domain),
            "host.hostuuid" => string(&prison.hostuuid),
            "host.hostid" => prison.hostid.to_ne_bytes().to_vec(),
            "enforce_statfs" => int(prison.enforce_statfs),
            "devfs_ruleset" => int(prison.devfs_ruleset),
            "osrelease" => string(&prison.osrelease),
            "osreldate" => int(prison.osreldate),
            "host" => jailsys(if prison.host { Jailsys::New } else { Jailsys::Inherit }),
            "vnet" => jailsys(if prison.vnet { Jailsys::New } else { Jailsys::Inherit }),
            "ip4" => jailsys(network(&prison.ip4)),
            "ip6" => jailsys(network(&prison.ip6)),
            "ip4.addr" => addresses(&prison.ip4, std::net::Ipv4Addr::octets),
            "ip6.addr" => addresses(&prison.ip6, std::net::Ipv6Addr::octets),
            _ => {
                if let Some(on) = self.flag(name) {
                    return Some(int(i32::from(on)));
                }
                let position = SYSV.iter().position(|known| *known == name)?;
                jailsys(match prison.sysv.get(position)? {
                    Sysv::Disabled => Jailsys::Disable,
                    Sysv::Own => Jailsys::New,
                    Sysv::Inherited => Jailsys::Inherit,
                })
            }
        })
    }

    /// A flag, or what the flag with a `no` says, which the kernel tells as well.
    fn flag(&self, name: &str) -> Option<bool> {
        let prison = self.prison;
        Some(match name {
            "persist" => prison.persist,
            "nopersist" => !prison.persist,
            "dying" => prison.dying,
            "nodying" => !prison.dying,
            "ip4.saddrsel" => prison.ip4_saddrsel,
            "ip4.nosaddrsel" => !prison.ip4_saddrsel,
            "ip6.saddrsel" => prison.ip6_saddrsel,
            "ip6.nosaddrsel" => !prison.ip6_saddrsel,
            _ => {
                let (on, ..) = ALLOW.iter().find(|(on, off, _)| name == *on || name == *off)?;
                prison.allows(on) == (name == *on)
            }
        })
    }
}

/// The kernel has one bit for "new" and "disable", and says "disable" for both.
fn network<A>(addresses: &Addresses<A>) -> Jailsys {
    if addresses.own { Jailsys::Disable } else { Jailsys::Inherit }
}

fn addresses<A: Copy, const N: usize>(
    addresses: &Addresses<A>,
    octets: impl Fn(&A) -> [u8; N],
) -> Vec<u8> {
    addresses.list.iter().flatten().flat_map(octets).collect()
}

fn int(value: i32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

fn jailsys(mode: Jailsys) -> Vec<u8> {
    int(mode.as_raw())
}

fn string(value: &str) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn refused(errno: Errno, message: Option<String>) -> Error {
    Error::Refused { call: "jail_get(2)", errno, message }
}
