//! What becomes of a jail, and of those in it, by the parameters that it is given.

use super::addresses::{Address, Addresses};
use super::prison::{ALLOW, Prison, Sysv};
use super::registry::Registry;
use super::request::{Network, Request};
use crate::error::Error;

/// A jail as it is before any parameter has been applied.
pub(super) fn newborn(jid: i32, parent: &Prison, request: &Request<'_>) -> Prison {
    let vnet = request.vnet == Some(true);
    let default =
        |(name, _, on): &(&str, _, bool)| (*on && parent.allows(name)).then(|| (*name).to_owned());
    Prison {
        jid,
        parent: parent.jid,
        childless: true,
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
        rules: Vec::new(),
        holder: None,
    }
}

fn at_birth<A: Address>(vnet: bool, asked: &Network<A>, parent: &Addresses<A>) -> Addresses<A> {
    match asked.own {
        _ if vnet => Addresses::unrestricted(),
        // Not asked for means that there is none.
        None => Addresses { own: true, list: Some(Vec::new()) },
        Some(false) => parent.inherited(),
        Some(true) => Addresses { own: true, list: Some(asked.addresses.clone()) },
    }
}

/// The jail with the parameters applied.
pub(super) fn applied(
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
pub(super) fn pass_on(
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
