//! What `jail_set(2)` is asked for: the parameters, decoded and checked for what is wrong with
//! them whatever jails there are. The order of the checks is that of `kern_jail_set`, since it
//! decides which of several errors is reported.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;

use super::addresses::{Address, Addresses};
use super::options::Options;
use super::prison::ALLOW;
use crate::encode;
use crate::error::Error;
use crate::param::{Jailsys, Kind, Value};
use crate::sys::SetMode;

/// The parameters that were given. A flag or mode that was not is `None`; of a jailsys parameter
/// it says whether the jail is to have its own.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) jid: i32,
    pub(super) name: Option<&'a str>,
    /// Canonical, and a directory.
    pub(super) path: Option<String>,
    pub(super) persist: Option<bool>,
    pub(super) host: Option<bool>,
    pub(super) hostname: Option<&'a str>,
    pub(super) domainname: Option<&'a str>,
    pub(super) hostuuid: Option<&'a str>,
    pub(super) hostid: Option<u64>,
    pub(super) vnet: Option<bool>,
    pub(super) ip4: Network<Ipv4Addr>,
    pub(super) ip6: Network<Ipv6Addr>,
    pub(super) allow: Vec<(&'static str, bool)>,
    pub(super) securelevel: Option<i32>,
    pub(super) children_max: Option<i32>,
    pub(super) enforce_statfs: Option<i32>,
    pub(super) devfs_ruleset: Option<i32>,
    pub(super) osrelease: Option<&'a str>,
    pub(super) osreldate: Option<i32>,
}

/// What was asked for of IPv4 or IPv6.
#[derive(Debug)]
pub(super) struct Network<A> {
    pub(super) own: Option<bool>,
    pub(super) saddrsel: Option<bool>,
    pub(super) addresses: Vec<A>,
}

impl<A> Default for Network<A> {
    fn default() -> Self {
        Self { own: None, saddrsel: None, addresses: Vec::new() }
    }
}

/// `MAXHOSTNAMELEN`, which is the room for a jail's name as well.
pub(super) const MAXHOSTNAMELEN: usize = 256;
/// `HOSTUUIDLEN`.
const HOSTUUIDLEN: usize = 64;
/// `OSRELEASELEN`.
const OSRELEASELEN: usize = 32;
/// `MAXPATHLEN`.
const MAXPATHLEN: usize = 1024;
/// `security.jail.jail_max_af_ips`.
const MAX_AF_IPS: usize = 255;

impl<'a> Request<'a> {
    pub(super) fn new(options: &Options<'a>, mode: SetMode) -> Result<Self, Error> {
        let update = mode == SetMode::Update;
        let mut request = Self::default();
        let int = |name| options.int(name).map_err(bare);
        request.jid = int("jid")?.unwrap_or(0);
        request.securelevel = int("securelevel")?;
        request.children_max = int("children.max")?;
        request.enforce_statfs = int("enforce_statfs")?;
        if request.enforce_statfs.is_some_and(|level| !(0..=2).contains(&level)) {
            return Err(bare(Errno::EINVAL));
        }
        request.devfs_ruleset = int("devfs_ruleset")?;

        request.persist = options.flag("persist", "nopersist");
        request.ip4.saddrsel = options.flag("ip4.saddrsel", "ip4.nosaddrsel");
        request.ip6.saddrsel = options.flag("ip6.saddrsel", "ip6.nosaddrsel");
        request.host = jailsys(options, "host", false)?;
        request.vnet = jailsys(options, "vnet", false)?;
        request.ip4.own = jailsys(options, "ip4", true)?;
        request.ip6.own = jailsys(options, "ip6", true)?;
        if !update && request.persist != Some(true) {
            return Err(refused(Errno::EINVAL, "new jail must persist or attach"));
        }
        let fixed = [("vnet", request.vnet), ("ip4", request.ip4.own), ("ip6", request.ip6.own)];
        for (name, given) in fixed {
            if update && given.is_some() {
                return Err(unchangeable(name));
            }
        }
        for (on, off, _) in ALLOW {
            request.allow.extend(options.flag(on, off).map(|allowed| (on, allowed)));
        }

        let string = |name, room| options.string(name, room).map_err(bare);
        request.name = string("name", MAXHOSTNAMELEN)?;
        request.hostname = string("host.hostname", MAXHOSTNAMELEN)?;
        request.domainname = string("host.domainname", MAXHOSTNAMELEN)?;
        request.hostuuid = string("host.hostuuid", HOSTUUIDLEN)?;
        request.hostid = options.ulong("host.hostid").map_err(bare)?;
        if request.hostname.is_some()
            || request.domainname.is_some()
            || request.hostuuid.is_some()
            || request.hostid.is_some()
        {
            request.host = Some(true);
        }

        if let Some(bytes) = options.bytes("ip4.addr") {
            let Some(Value::Ip4(list)) = encode::decode(Kind::Ip4, bytes) else {
                return Err(bare(Errno::EINVAL));
            };
            request.ip4.restrict(list, "too many IPv4 addresses")?;
        }
        if let Some(bytes) = options.bytes("ip6.addr") {
            let Some(Value::Ip6(list)) = encode::decode(Kind::Ip6, bytes) else {
                return Err(bare(Errno::EINVAL));
            };
            request.ip6.restrict(list, "too many IPv6 addresses")?;
        }
        if request.vnet.is_some() && request.restricts() {
            return Err(vnet_and_addresses());
        }

        request.osrelease = options.string("osrelease", usize::MAX).map_err(bare)?;
        if let Some(text) = request.osrelease {
            if update {
                return Err(unchangeable("osrelease"));
            }
            if text.len() + 1 >= OSRELEASELEN {
                let message = "osrelease string must be 1-31 bytes long";
                return Err(refused(Errno::ENAMETOOLONG, message));
            }
        }
        request.osreldate = int("osreldate")?;
        if let Some(date) = request.osreldate {
            if update {
                return Err(unchangeable("osreldate"));
            }
            if date == 0 {
                return Err(refused(Errno::EINVAL, "osreldate cannot be 0"));
            }
        }
        if let Some(path) = options.string("path", usize::MAX).map_err(bare)? {
            if update {
                return Err(unchangeable("path"));
            }
            request.path = Some(directory(path).map_err(bare)?);
        }
        Ok(request)
    }

    /// Whether anything was said about addresses, be it only that there are none.
    pub(super) fn restricts(&self) -> bool {
        self.ip4.own.is_some() || self.ip6.own.is_some()
    }
}

impl<A: Address> Network<A> {
    fn restrict(&mut self, list: Vec<A>, too_many: &str) -> Result<(), Error> {
        self.own = Some(true);
        if list.len() > MAX_AF_IPS {
            return Err(refused(Errno::EINVAL, too_many));
        }
        self.addresses = Addresses::own(list).map_err(bare)?.list.unwrap_or_default();
        Ok(())
    }
}

/// A jailsys parameter: whether the jail is to have its own. Where it can be disabled, that
/// counts as its own, with nothing in it.
fn jailsys(options: &Options<'_>, name: &str, disables: bool) -> Result<Option<bool>, Error> {
    let Some(raw) = options.int(name).map_err(bare)? else { return Ok(None) };
    match Jailsys::from_raw(raw) {
        Some(Jailsys::New) => Ok(Some(true)),
        Some(Jailsys::Inherit) => Ok(Some(false)),
        Some(Jailsys::Disable) if disables => Ok(Some(true)),
        _ => Err(bare(Errno::EINVAL)),
    }
}

fn directory(path: &str) -> Result<String, Errno> {
    let io = |error: std::io::Error| error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw);
    let canonical = fs::canonicalize(path).map_err(io)?;
    if !canonical.is_dir() {
        return Err(Errno::ENOTDIR);
    }
    let canonical = canonical.into_os_string().into_string().map_err(|_| Errno::EINVAL)?;
    if canonical.len() >= MAXPATHLEN { Err(Errno::ENAMETOOLONG) } else { Ok(canonical) }
}

/// A refusal without a text.
pub(super) fn bare(errno: Errno) -> Error {
    Error::Refused { call: "jail_set(2)", errno, message: None }
}

/// A refusal with the kernel's text.
pub(super) fn refused(errno: Errno, message: impl Into<String>) -> Error {
    Error::Refused { call: "jail_set(2)", errno, message: Some(message.into()) }
}

pub(super) fn unchangeable(name: &str) -> Error {
    refused(Errno::EINVAL, format!("{name} cannot be changed after creation"))
}

pub(super) fn vnet_and_addresses() -> Error {
    refused(Errno::EINVAL, "vnet jails cannot have IP address restrictions")
}
