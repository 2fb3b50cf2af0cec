//! `jail_set(2)`: creating and changing jails (`kern_jail_set`).

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::apply::{applied, newborn, pass_on};
use super::check::{check, check_last};
use super::holder::{self, Plan};
use super::names;
use super::namespaces::{self, Kind};
use super::naming::{full_name, number, place, renamed};
use super::options::Options;
use super::prison::{Prison, Prisons};
use super::registry::{self, Registry};
use super::request::{Request, bare, refused, unchangeable, vnet_and_addresses};
use crate::encode::RawParam;
use crate::error::Error;
use crate::jid::Jid;
use crate::sys::SetMode;

/// `jail_set(2)`.
pub(crate) fn jail_set(params: &[RawParam], mode: SetMode) -> Result<Jid, Error> {
    let options = Options::new(params).map_err(bare)?;
    let request = Request::new(&options, mode)?;
    let jid = match mode {
        SetMode::Create => create(&mut Registry::open()?, &request, &options)?,
        // Others have no say in it.
        SetMode::Update if request.name.is_none() && !request.restricts() => {
            update(&mut Registry::open_for(request.jid)?, &request, &options)?
        }
        SetMode::Update => update(&mut Registry::open()?, &request, &options)?,
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
        jid =
            registry.next_jid()?.ok_or_else(|| refused(Errno::EAGAIN, "no available jail IDs"))?;
    }
    let prison = newborn(jid, &parent, request);
    check(registry.prisons(), &prison, &parent, request)?;
    let prison =
        Prison { name: full_name(registry.prisons(), &prison, &parent, own_name)?, ..prison };
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
    match start(registry, &plan, prison) {
        Ok(()) => Ok(jid),
        Err(error) => {
            registry.forget(jid)?;
            Err(error)
        }
    }
}

/// Makes the holder and writes the jail down; if either fails, the holder ends.
fn start(registry: &mut Registry, plan: &Plan<'_>, prison: Prison) -> Result<(), Error> {
    let started = holder::start(plan)?;
    let parent = registry.prisons().find(prison.parent).filter(|parent| parent.childless);
    if let Some(parent) = parent.cloned() {
        registry.save(Prison { childless: false, ..parent })?;
    }
    registry.save(Prison { holder: Some(started.holder()), ..prison })?;
    started.release()
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
