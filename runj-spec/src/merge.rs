//! From the documents of a bundle to one [`Jail`].
//!
//! | order | source            | a mode                          | a list                    |
//! |-------|-------------------|---------------------------------|---------------------------|
//! | 1     | `freebsd.jail`    | is the base                     | is the base               |
//! | 2     | `freebsd.network` | fills; another one contradicts  | appends what is not there |
//! | 3     | runj.ext.json     | overwrites                      | appends what is not there |
//! | 4     | `org.freebsd.*`   | fills                           | fills                     |
//!
//! The prefix length of an address follows the rules of a mode.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::json_path::{JsonPath, Step};
use crate::quote::quote_text;
use crate::{
    AddressFamily, Extension, ExtensionNetwork, Freebsd, FreebsdJail, InterfaceName, IpAddress,
    Jail, Network, NetworkIp, NetworkVnet, Origin, Problem, Problems, Sourced, annotations,
};

/// Merges what describes a jail. `config_file` is what messages call the document that `freebsd`
/// and `annotations` are from. The result is complete if no problem was added.
pub(crate) fn merge(
    config_file: &str,
    freebsd: Option<&Freebsd>,
    annotations: &BTreeMap<String, String>,
    extension: Option<&Extension>,
    problems: &mut Problems,
) -> Jail {
    let mut jail = Jail::default();
    if let Some(freebsd) = freebsd {
        let path = JsonPath::of_key("freebsd");
        base(&mut jail, &freebsd.jail, &Place::new(config_file, path.clone().key("jail")));
        let place = Place::new(config_file, path.key("network"));
        let Network { ipv4, ipv6, vnet, .. } = &freebsd.network;
        network(&mut jail, (ipv4, ipv6, vnet), &place, &mut Rule::Fill(problems));
    }
    if let Some(extension) = extension {
        let place = Place::new(Extension::FILE_NAME, JsonPath::of_key("network"));
        let ExtensionNetwork { ipv4, ipv6, vnet, .. } = &extension.network;
        network(&mut jail, (ipv4, ipv6, vnet), &place, &mut Rule::Overlay);
    }
    annotations::fill(&mut jail, config_file, annotations, problems);
    jail
}

/// A place in a document, from which those of the values in it follow.
struct Place<'a> {
    file: &'a str,
    path: JsonPath,
}

impl<'a> Place<'a> {
    fn new(file: &'a str, path: JsonPath) -> Self {
        Self { file, path }
    }

    /// The place of the property `key`.
    fn key(&self, key: &str) -> Self {
        Self { file: self.file, path: self.path.clone().key(key) }
    }

    fn origin(&self) -> Origin {
        Origin::new(self.file, self.path.to_string())
    }

    /// The value of the property `key`, if it is given.
    fn sourced<T: Clone>(&self, key: &str, value: Option<&T>) -> Option<Sourced<T>> {
        value.map(|value| Sourced::new(value.clone(), self.key(key).origin()))
    }

    /// The elements of the list that the property `key` is.
    fn elements<T: Clone>(&self, key: &str, list: &[T]) -> Vec<Sourced<T>> {
        let mut path = self.path.clone().key(key);
        let element = |(index, value): (usize, &T)| {
            path.push(Step::Index(index));
            let origin = Origin::new(self.file, path.to_string());
            path.pop();
            Sourced::new(value.clone(), origin)
        };
        list.iter().enumerate().map(element).collect()
    }
}

/// What happens to a value that was given before.
enum Rule<'p> {
    /// It stays. A different one is a problem.
    Fill(&'p mut Problems),
    /// It goes.
    Overlay,
}

impl Rule<'_> {
    /// Whether `new` replaces `old`, which differs from it.
    fn replaces<T: Display>(&mut self, old: &Sourced<T>, new: &Sourced<T>) -> bool {
        match self {
            Self::Overlay => true,
            Self::Fill(problems) => {
                let [old_value, new_value] =
                    [old, new].map(|given| quote_text(&given.value.to_string()));
                let expected = format!("{old_value}, as at {}", old.origin);
                problems.push(Problem::not_allowed(new.origin.clone(), new_value, expected));
                false
            }
        }
    }

    fn mode<T: PartialEq + Display>(
        &mut self,
        slot: &mut Option<Sourced<T>>,
        new: Option<Sourced<T>>,
    ) {
        let Some(new) = new else { return };
        let replaces = match slot {
            None => true,
            Some(old) => old.value != new.value && self.replaces(old, &new),
        };
        if replaces {
            *slot = Some(new);
        }
    }

    fn addresses<A: AddressFamily>(
        &mut self,
        list: &mut Vec<Sourced<IpAddress<A>>>,
        more: Vec<Sourced<IpAddress<A>>>,
    ) {
        let mut places: BTreeMap<A, usize> =
            list.iter().enumerate().map(|(at, old)| (old.value.address(), at)).collect();
        for new in more {
            match places.get(&new.value.address()).and_then(|at| list.get_mut(*at)) {
                None => {
                    places.insert(new.value.address(), list.len());
                    list.push(new);
                }
                Some(old) => {
                    let replaces = match (old.value.prefix(), new.value.prefix()) {
                        (_, None) => false,
                        (None, Some(_)) => true,
                        (Some(before), Some(after)) => before != after && self.replaces(old, &new),
                    };
                    if replaces {
                        *old = new;
                    }
                }
            }
        }
    }
}

/// The OCI form, which comes first.
fn base(jail: &mut Jail, given: &FreebsdJail, place: &Place<'_>) {
    jail.parent = place.sourced("parent", given.parent.as_ref());
    jail.host = place.sourced("host", given.host.as_ref());
    jail.ip4 = place.sourced("ip4", given.ip4.as_ref());
    jail.ip4_addr = place.elements("ip4Addr", &given.ip4_addr);
    jail.ip6 = place.sourced("ip6", given.ip6.as_ref());
    jail.ip6_addr = place.elements("ip6Addr", &given.ip6_addr);
    jail.vnet = place.sourced("vnet", given.vnet.as_ref());
    jail.interface = place.sourced("interface", given.interface.as_ref());
    jail.vnet_interfaces = place.elements("vnetInterfaces", &given.vnet_interfaces);
    jail.sysvmsg = place.sourced("sysvmsg", given.sysvmsg.as_ref());
    jail.sysvsem = place.sourced("sysvsem", given.sysvsem.as_ref());
    jail.sysvshm = place.sourced("sysvshm", given.sysvshm.as_ref());
    jail.enforce_statfs = place.sourced("enforceStatfs", given.enforce_statfs.as_ref());
    let allow = place.key("allow");
    for (parameter, key, value) in given.allow.given() {
        jail.allow.insert(parameter, Sourced::new(value, allow.key(key).origin()));
    }
}

/// The older form, in whichever document.
fn network(
    jail: &mut Jail,
    (ipv4, ipv6, vnet): (&NetworkIp<Ipv4Addr>, &NetworkIp<Ipv6Addr>, &NetworkVnet),
    place: &Place<'_>,
    rule: &mut Rule<'_>,
) {
    let at = place.key("ipv4");
    rule.mode(&mut jail.ip4, at.sourced("mode", ipv4.mode.as_ref()));
    rule.addresses(&mut jail.ip4_addr, at.elements("addr", &ipv4.addr));
    let at = place.key("ipv6");
    rule.mode(&mut jail.ip6, at.sourced("mode", ipv6.mode.as_ref()));
    rule.addresses(&mut jail.ip6_addr, at.elements("addr", &ipv6.addr));
    let at = place.key("vnet");
    rule.mode(&mut jail.vnet, at.sourced("mode", vnet.mode.as_ref()));
    interfaces(&mut jail.vnet_interfaces, at.elements("interfaces", &vnet.interfaces));
}

/// Appends the interfaces that are not there.
fn interfaces(list: &mut Vec<Sourced<InterfaceName>>, more: Vec<Sourced<InterfaceName>>) {
    let mut seen: BTreeSet<InterfaceName> = list.iter().map(|old| old.value.clone()).collect();
    list.extend(more.into_iter().filter(|new| seen.insert(new.value.clone())));
}
