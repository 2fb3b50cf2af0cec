//! `jail_set(2)`: creating and changing jails (`kern_jail_set`).

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::addresses::{Address, Addresses};
use super::holder::{self, Plan};
use super::namespaces::{self, Kind};
use super::options::Options;
use super::prison::{ALLOW, HOST, Prison, Prisons, SYSV, Sysv};
use super::registry::{self, Registry};
use super::request::{
    MAXHOSTNAMELEN, Network, Request, bare, refused, unchangeable, vnet_and_addresses,
};
use super::names;
use crate::encode::RawParam;
use crate::error::Error;
use crate::jid::Jid;
use crate::param::Jailsys;
use crate::sys::SetMode;

/// `jail_set(2)`.
pub(crate) fn jail_set(params: &[RawParam], mode: SetMode) -> Result<Jid, Error> {
    let options = Options::new(params).map_err(bare)?;
    let request = Request::new(&options, mode)?;
    let mut registry = Registry::open()?;
    let jid = match mode {
        SetMode::Create => create(&mut registry, &request, &options)?,
        SetMode::Update => update(&mut registry, &request, &options)?,
    };
    Jid::try_from(jid).map_err(|_| bare(Errno::EINVAL))
}

fn create(
    registry: &mut Registry,
    request: &Request<'_>,
    options: &Options<'_>,
) -> Result<i32, Error> {
    let mut jid = request.jid;
    if jid == 0
        && let Some(name) = request.name
    {
        let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
        jid = number(last).unwrap_or(0);
    }
    if jid < 0 {
        return Err(refused(Errno::EINVAL, "negative jid"));
    }
    if jid != 0 && registry.prisons().find(jid).is_some() {
        return Err(refused(Errno::EEXIST, format!("jail {jid} already exists")));
    }
    let (parent, own_name) = place(registry.prisons(), request.name)?;
    if jid == 0 {
        jid = registry
            .next_jid()?
            .ok_or_else(|| refused(Errno::EAGAIN, "no available jail IDs"))?;
    }
    let prison = newborn(jid, &parent, request);
    check(registry.prisons(), &prison, &parent, request)?;
    let prison = Prison { name: full_name(registry.prisons(), &prison, &parent, own_name)?, ..prison };
    let sysv = check_last(&parent, request, options)?;
    let prison = applied(prison, &parent, request, sysv);

    let plan = Plan {
        jid,
        vnet: prison.vnet,
        hostname: request.hostname.unwrap_or_default(),
        domainname: request.domainname.unwrap_or_default(),
        parent: pid_namespace(&parent)?,
        doorbell: registry::doorbell(jid),
    };
    let started = holder::start(&plan)?;
    registry.save(Prison { holder: Some(started.holder()), ..prison })?;
    started.release()?;
    Ok(jid)
}

fn update(
    registry: &mut Registry,
    request: &Request<'_>,
    options: &Options<'_>,
) -> Result<i32, Error> {
    let jid = request.jid;
    if jid < 0 {
        return Err(refused(Errno::EINVAL, "negative jid"));
    }
    if jid == 0 {
        return Err(refused(Errno::ENOENT, "update specified no jail"));
    }
    let missing = || refused(Errno::ENOENT, format!("jail {jid} not found"));
    let prisons = registry.prisons();
    let prison = prisons.find(jid).ok_or_else(missing)?.clone();
    if prison.dying {
        return Err(refused(Errno::ENOENT, format!("jail {jid} is dying")));
    }
    let parent = prisons.parent(&prison).clone();
    if prison.vnet && request.restricts() {
        return Err(vnet_and_addresses());
    }
    for (name, had, asked) in
        [("ip4", prison.ip4.own, request.ip4.own), ("ip6", prison.ip6.own, request.ip6.own)]
    {
        if asked.is_some_and(|own| own != had) {
            return Err(unchangeable(name));
        }
    }
    let own_name = match request.name {
        Some(name) => Some(renamed(prisons, &prison, &parent, name)?),
        None => None,
    };
    check(prisons, &prison, &parent, request)?;
    let name = match own_name {
        Some(_) => full_name(prisons, &prison, &parent, own_name)?,
        None => prison.name.clone(),
    };
    let sysv = check_last(&parent, request, options)?;

    if request.host == Some(true) {
        set_names(prisons, &prison, request)?;
    }
    let renaming = (prison.name.clone(), name.clone());
    let prison = applied(Prison { name, ..prison }, &parent, request, sysv);
    registry.save(prison.clone())?;
    pass_on(registry, &prison, request, &renaming)?;
    Ok(jid)
}

/// The jail that a new one of that name is in, and the name that it has there; an empty one
/// stands for the jid.
fn place<'a>(
    prisons: &Prisons,
    name: Option<&'a str>,
) -> Result<(Prison, Option<&'a str>), Error> {
    let Some(name) = name else { return Ok((Prison::host(), Some(""))) };
    let (parent, own) = match name.rsplit_once('.') {
        Some((parent, own)) => {
            let missing = || refused(Errno::ENOENT, format!("jail \"{parent}\" not found"));
            let found = prisons.by_name(parent).ok_or_else(missing)?;
            if found.dying {
                return Err(refused(Errno::ENOENT, format!("jail \"{parent}\" is dying")));
            }
            (found.clone(), own)
        }
        None => (Prison::host(), name),
    };
    if has_child(prisons, &parent, own, HOST) {
        return Err(refused(Errno::EEXIST, format!("jail \"{name}\" already exists")));
    }
    Ok((parent, Some(own)))
}

/// The own name that a jail gets by an update with that full or own name.
fn renamed<'a>(
    prisons: &Prisons,
    prison: &Prison,
    parent: &Prison,
    name: &'a str,
) -> Result<&'a str, Error> {
    let own = match name.rsplit_once('.') {
        Some((within, _)) if within != parent.name => {
            return Err(refused(Errno::EINVAL, "cannot change jail's parent"));
        }
        Some((_, own)) => own,
        None => name,
    };
    if has_child(prisons, parent, own, prison.jid) {
        return Err(refused(Errno::EEXIST, format!("jail \"{name}\" already exists")));
    }
    Ok(own)
}

/// Whether a living jail other than `except` has that name in `parent`.
fn has_child(prisons: &Prisons, parent: &Prison, own: &str, except: i32) -> bool {
    !own.is_empty()
        && prisons.iter().any(|sibling| {
            sibling.jid != except
                && sibling.parent == parent.jid
                && !sibling.dying
                && sibling.own_name() == own
        })
}

/// A jail as it is before any parameter has been applied.
fn newborn(jid: i32, parent: &Prison, request: &Request<'_>) -> Prison {
    let vnet = request.vnet == Some(true);
    let default = |(name, _, on): &(&str, _, bool)| {
        (*on && parent.allows(name)).then(|| (*name).to_owned())
    };
    Prison {
        jid,
        parent: parent.jid,
        name: String::new(),
        path: request.path.clone().unwrap_or_else(|| "/".into()),
        dying: false,
        persist: false,
        host: true,
        hostuuid: "00000000-0000-0000-0000-000000000000".into(),
        hostid: 0,
        vnet,
        ip4: at_birth(vnet, &request.ip4, &parent.ip4),
        ip6: at_birth(vnet, &request.ip6, &parent.ip6),
        ip4_saddrsel: true,
        ip6_saddrsel: true,
        allow: ALLOW.iter().filter_map(default).collect(),
        sysv: [Sysv::Disabled; 3],
        securelevel: parent.securelevel,
        children_max: 0,
        enforce_statfs: 2,
        devfs_ruleset: parent.devfs_ruleset,
        osrelease: request.osrelease.unwrap_or(&parent.osrelease).to_owned(),
        osreldate: request.osreldate.unwrap_or(parent.osreldate),
        holder: None,
    }
}

fn at_birth<A: Address>(
    vnet: bool,
    asked: &Network<A>,
    parent: &Addresses<A>,
) -> Addresses<A> {
    match asked.own {
        _ if vnet => Addresses::unrestricted(),
        // Not asked for means that there is none.
        None => Addresses { own: true, list: Some(Vec::new()) },
        Some(false) => parent.inherited(),
        Some(true) => Addresses { own: true, list: Some(asked.addresses.clone()) },
    }
}

/// What depends on the parent and on other jails.
fn check(
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

fn full_name(
    prisons: &Prisons,
    prison: &Prison,
    parent: &Prison,
    own: Option<&str>,
) -> Result<String, Error> {
    let jid = prison.jid.to_string();
    let own = match own {
        None | Some("") => &jid,
        // The jid in its normal form is the only number that may be a name.
        Some(own) if number(own).is_some() && own != jid => {
            let message = "name cannot be numeric (unless it is the jid)";
            return Err(refused(Errno::EINVAL, message));
        }
        Some(own) => own,
    };
    let name = match parent.jid {
        HOST => own.to_owned(),
        _ => format!("{}.{own}", parent.name),
    };
    let longest_below = prisons
        .descendants(prison.jid)
        .into_iter()
        .filter_map(|jid| Some(prisons.find(jid)?.name.len() - prison.name.len()))
        .max()
        .unwrap_or(0);
    if name.len() + longest_below >= MAXHOSTNAMELEN {
        return Err(bare(Errno::ENAMETOOLONG));
    }
    Ok(name)
}

/// What is checked last: permissions, System V IPC, and whether everything is known at all.
fn check_last(
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

/// The jail with the parameters applied.
fn applied(
    mut prison: Prison,
    parent: &Prison,
    request: &Request<'_>,
    sysv: [Option<Sysv>; 3],
) -> Prison {
    let set = |target: &mut bool, asked: Option<bool>| *target = asked.unwrap_or(*target);
    set(&mut prison.persist, request.persist);
    set(&mut prison.ip4_saddrsel, request.ip4.saddrsel);
    set(&mut prison.ip6_saddrsel, request.ip6.saddrsel);
    if request.ip4.own == Some(true) {
        prison.ip4.list = Some(request.ip4.addresses.clone());
    }
    if request.ip6.own == Some(true) {
        prison.ip6.list = Some(request.ip6.addresses.clone());
    }
    if request.host == Some(false) {
        prison.hostuuid.clone_from(&parent.hostuuid);
        prison.hostid = parent.hostid;
    }
    set(&mut prison.host, request.host);
    if let Some(uuid) = request.hostuuid {
        uuid.clone_into(&mut prison.hostuuid);
    }
    prison.hostid = request.hostid.unwrap_or(prison.hostid);
    for (name, on) in &request.allow {
        if *on {
            prison.allow.insert((*name).to_owned());
        } else {
            prison.allow.remove(*name);
        }
    }
    for (mode, asked) in prison.sysv.iter_mut().zip(sysv) {
        *mode = asked.unwrap_or(*mode);
    }
    prison.securelevel = request.securelevel.unwrap_or(prison.securelevel);
    prison.children_max = request.children_max.unwrap_or(prison.children_max);
    prison.enforce_statfs = request.enforce_statfs.unwrap_or(prison.enforce_statfs);
    prison.devfs_ruleset = request.devfs_ruleset.unwrap_or(prison.devfs_ruleset);
    prison
}

/// Makes the jails below one follow its change.
fn pass_on(
    registry: &mut Registry,
    changed: &Prison,
    request: &Request<'_>,
    (old, new): &(String, String),
) -> Result<(), Error> {
    let depth = |name: &str| name.matches('.').count();
    for jid in registry.prisons().descendants(changed.jid) {
        let Some(mut prison) = registry.prisons().find(jid).cloned() else { continue };
        let parent = registry.prisons().parent(&prison).clone();
        if let Some(rest) = prison.name.strip_prefix(old.as_str()) {
            prison.name = format!("{new}{rest}");
        }
        if !prison.vnet {
            prison.ip4.restrict(&parent.ip4);
            prison.ip6.restrict(&parent.ip6);
        }
        for (name, on) in &request.allow {
            if !on {
                prison.allow.remove(*name);
            }
        }
        for (mode, parent) in prison.sysv.iter_mut().zip(parent.sysv) {
            if parent == Sysv::Disabled {
                *mode = Sysv::Disabled;
            }
        }
        if let Some(level) = request.securelevel {
            prison.securelevel = prison.securelevel.max(level);
        }
        if let Some(max) = request.children_max {
            let level = i32::try_from(depth(&prison.name) - depth(new)).unwrap_or(max);
            prison.children_max = prison.children_max.min((max - level).max(0));
        }
        if let Some(level) = request.enforce_statfs {
            prison.enforce_statfs = prison.enforce_statfs.max(level);
        }
        prison.devfs_ruleset = request.devfs_ruleset.unwrap_or(prison.devfs_ruleset);
        if !prison.host {
            prison.hostuuid.clone_from(&parent.hostuuid);
            prison.hostid = parent.hostid;
        }
        registry.save(prison)?;
    }
    Ok(())
}

/// Sets the names of the host that a jail shows, in the namespace that holds its own. A jail that
/// shared its parent's so far keeps those that are not given.
fn set_names(prisons: &Prisons, prison: &Prison, request: &Request<'_>) -> Result<(), Error> {
    let Some(holder) = prison.holder else { return Ok(()) };
    let gone = || refused(Errno::ENOENT, format!("jail {} is dying", prison.jid));
    let shown = if prison.host { None } else { Some(names::of(prisons, prison)?) };
    let hostname = request.hostname.or(shown.as_ref().map(|names| names.host.as_str()));
    let domainname = request.domainname.or(shown.as_ref().map(|names| names.domain.as_str()));
    let namespace = namespaces::open(holder, Kind::Uts)?.ok_or_else(gone)?;
    namespaces::inside(&namespace, Kind::Uts, || names::set(hostname, domainname))
}

fn pid_namespace(parent: &Prison) -> Result<Option<OwnedFd>, Error> {
    let Some(holder) = parent.holder else { return Ok(None) };
    let gone = || refused(Errno::ENOENT, format!("jail \"{}\" is dying", parent.name));
    namespaces::open(holder, Kind::Pid)?.ok_or_else(gone).map(Some)
}

/// The number that a name is to the kernel (`strtoul`, cut to an `int`); `None` when it is none.
fn number(text: &str) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<u64>().unwrap_or(u64::MAX);
    let value = if negative && value != u64::MAX { value.wrapping_neg() } else { value };
    // The kernel keeps the low 32 bits.
    let [a, b, c, d, ..] = value.to_le_bytes();
    Some(i32::from_le_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn names_that_are_numbers() {
        for (text, value) in [
            ("7", 7),
            ("007", 7),
            (" 7", 7),
            ("+7", 7),
            ("0", 0),
            ("-1", -1),
            ("4294967295", -1),
            ("99999999999999999999999", -1),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "a", "7a", "7 ", "-", " ", "0x7"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
