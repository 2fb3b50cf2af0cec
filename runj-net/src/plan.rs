//! From the configuration to what is to be done.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use runj_jail::{Jailsys, Params, Value};
use runj_spec::{InterfaceName, IpAddress, IpMode, Origin, Sourced, VnetMode};

use crate::conflict::{Conflict, Refused};

/// What a jail's network takes: parameters for the jail, and work on interfaces around its creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) params: Params,
    /// Added to the host's interface before the jail exists.
    pub(crate) aliases: Vec<Alias>,
    /// Moved into the jail once it exists.
    pub(crate) moves: Vec<Sourced<InterfaceName>>,
    /// What the parameters come from.
    pub(crate) sources: Sources,
}

/// An address of the jail that is to be an alias on an interface of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) interface: Sourced<InterfaceName>,
    pub(crate) address: Sourced<IpAddr>,
    pub(crate) prefix: u8,
}

/// Where the configuration asks for each part of the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) ip4: Restriction,
    pub(crate) ip6: Restriction,
    /// What asks for a network stack of the jail's own.
    pub(crate) vnet: Option<Origin>,
}

impl Sources {
    pub(crate) fn places(&self) -> impl Iterator<Item = &Origin> {
        self.vnet.iter().chain(self.ip4.places()).chain(self.ip6.places())
    }
}

/// Where the configuration restricts one family of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restriction {
    pub(crate) mode: Option<Origin>,
    pub(crate) addresses: Vec<Origin>,
}

impl Restriction {
    pub(crate) fn places(&self) -> impl Iterator<Item = &Origin> {
        self.mode.iter().chain(&self.addresses)
    }
}

impl Plan {
    /// The parameters that the jail is to be created with, besides its name, path and so on: of
    /// `ip4`, `ip4.addr`, `ip6`, `ip6.addr` and `vnet` those that are asked for.
    ///
    /// Without any of them a jail has no network at all, as the kernel and jail(8) have it.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// Plans a jail's network from its configuration alone.
///
/// Addresses without a mode mean `new`, as in jail(8), and so do interfaces to move in. `vnet` is
/// sent only where it is to be new: inheriting is the default, and the kernel refuses even
/// `vnet=inherit` beside any `ip4` or `ip6`.
///
/// How many addresses a jail may have is the kernel's to say (`security.jail.jail_max_af_ips`).
///
/// # Errors
///
/// [`Refused`] with everything that cannot be had together.
pub fn plan(jail: &runj_spec::Jail) -> Result<Plan, Refused> {
    let vnet = vnet(jail);
    let sources = Sources {
        ip4: restriction(jail.ip4.as_ref(), &jail.ip4_addr),
        ip6: restriction(jail.ip6.as_ref(), &jail.ip6_addr),
        vnet: vnet.cloned(),
    };
    let ip4 = addresses(&jail.ip4_addr);
    let ip6 = addresses(&jail.ip6_addr);

    let mut conflicts = Vec::new();
    conflicts.extend(beside_mode(jail.ip4.as_ref(), &sources.ip4));
    conflicts.extend(beside_mode(jail.ip6.as_ref(), &sources.ip6));
    for (again, first) in repeated(ip4.iter().chain(&ip6).map(|(address, _)| address)) {
        conflicts.push(Conflict::AddressTwice { again: again.clone(), first: first.clone() });
    }
    conflicts.extend(against_vnet(jail, &sources));
    for (again, first) in repeated(&jail.vnet_interfaces) {
        conflicts.push(Conflict::InterfaceTwice { again: again.clone(), first: first.clone() });
    }
    if jail.interface.is_none() {
        conflicts.extend(ip4.iter().chain(&ip6).filter_map(|(address, prefix)| {
            prefix
                .map(|prefix| Conflict::PrefixWithoutInterface { address: address.clone(), prefix })
        }));
    }
    if let Some(refused) = Refused::of(conflicts) {
        return Err(refused);
    }

    let mut params = Params::new();
    family(&mut params, "ip4", jail.ip4.as_ref(), Value::Ip4, &jail.ip4_addr);
    family(&mut params, "ip6", jail.ip6.as_ref(), Value::Ip6, &jail.ip6_addr);
    if vnet.is_some() {
        params.push("vnet", Value::Jailsys(Jailsys::New));
    }
    let aliases = jail.interface.iter().flat_map(|interface| {
        ip4.iter().chain(&ip6).map(|(address, prefix)| Alias {
            interface: interface.clone(),
            address: address.clone(),
            prefix: prefix.unwrap_or_else(|| single_host(address.value)),
        })
    });
    Ok(Plan { params, aliases: aliases.collect(), moves: jail.vnet_interfaces.clone(), sources })
}

/// What asks for a network stack of the jail's own, if anything does.
fn vnet(jail: &runj_spec::Jail) -> Option<&Origin> {
    match &jail.vnet {
        Some(Sourced { value: VnetMode::New, origin }) => Some(origin),
        Some(Sourced { value: VnetMode::Inherit, .. }) => None,
        None => jail.vnet_interfaces.first().map(|interface| &interface.origin),
    }
}

fn restriction<A>(
    mode: Option<&Sourced<IpMode>>,
    addresses: &[Sourced<IpAddress<A>>],
) -> Restriction {
    Restriction {
        mode: mode.map(|mode| mode.origin.clone()),
        addresses: addresses.iter().map(|address| address.origin.clone()).collect(),
    }
}

/// The addresses of one family, each with its prefix length if it has one.
fn addresses<A>(list: &[Sourced<IpAddress<A>>]) -> Vec<(Sourced<IpAddr>, Option<u8>)>
where
    A: runj_spec::AddressFamily + Into<IpAddr>,
{
    list.iter()
        .map(|Sourced { value, origin }| {
            (Sourced::new(value.address().into(), origin.clone()), value.prefix())
        })
        .collect()
}

/// A mode other than new, and addresses.
fn beside_mode(mode: Option<&Sourced<IpMode>>, restriction: &Restriction) -> Option<Conflict> {
    let mode = mode.filter(|mode| mode.value != IpMode::New)?;
    let addresses = restriction.addresses.clone();
    (!addresses.is_empty()).then(|| Conflict::AddressesBesideMode { mode: mode.clone(), addresses })
}

/// What cannot be had with the network stack that is asked for.
fn against_vnet(jail: &runj_spec::Jail, sources: &Sources) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    if let Some(vnet) = &sources.vnet {
        let restrictions: Vec<Origin> =
            sources.ip4.places().chain(sources.ip6.places()).cloned().collect();
        if !restrictions.is_empty() {
            conflicts.push(Conflict::AddressesInVnet { vnet: vnet.clone(), restrictions });
        }
        conflicts.extend(jail.interface.iter().map(|interface| Conflict::AliasesInVnet {
            interface: interface.clone(),
            vnet: vnet.clone(),
        }));
    }
    if let Some(Sourced { value: VnetMode::Inherit, origin }) = &jail.vnet
        && !jail.vnet_interfaces.is_empty()
    {
        conflicts.push(Conflict::InterfacesWithoutVnet {
            vnet: origin.clone(),
            interfaces: jail.vnet_interfaces.iter().map(|name| name.origin.clone()).collect(),
        });
    }
    conflicts
}

/// Each value that stood there before, and where it first did.
fn repeated<'a, T: Eq + Hash + 'a>(
    list: impl IntoIterator<Item = &'a Sourced<T>>,
) -> Vec<(&'a Sourced<T>, &'a Origin)> {
    let mut first = HashMap::new();
    list.into_iter()
        .filter_map(|again| match first.insert(&again.value, &again.origin) {
            None => None,
            Some(origin) => {
                first.insert(&again.value, origin);
                Some((again, origin))
            }
        })
        .collect()
}

/// Adds the parameters of one family of addresses.
fn family<A: runj_spec::AddressFamily>(
    params: &mut Params,
    name: &str,
    mode: Option<&Sourced<IpMode>>,
    list: fn(Vec<A>) -> Value,
    addresses: &[Sourced<IpAddress<A>>],
) {
    let implied = (!addresses.is_empty()).then_some(IpMode::New);
    if let Some(mode) = mode.map(|mode| mode.value).or(implied) {
        params.push(name, Value::Jailsys(jailsys(mode)));
    }
    if !addresses.is_empty() {
        let addresses = addresses.iter().map(|address| address.value.address()).collect();
        params.push(format!("{name}.addr"), list(addresses));
    }
}

fn jailsys(mode: IpMode) -> Jailsys {
    match mode {
        IpMode::Disable => Jailsys::Disable,
        IpMode::New => Jailsys::New,
        IpMode::Inherit => Jailsys::Inherit,
    }
}

/// The prefix length of an address that came without: jail(8) makes it a host's.
fn single_host(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}
