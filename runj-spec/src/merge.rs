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

use crate::json_path::JsonPath;
use crate::quote::quote_text;
use crate::{
    AddressFamily, Extension, Freebsd, FreebsdJail, InterfaceName, IpAddress, Jail, Network,
    Origin, Problem, Problems, Sourced, annotations,
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
        network(&mut jail, &freebsd.network, &place, &mut Rule::Fill(problems));
    }
    if let Some(extension) = extension {
        let place = Place::new(Extension::FILE_NAME, JsonPath::of_key("network"));
        network(&mut jail, &extension.network, &place, &mut Rule::Overlay);
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

    /// A value that is at this place.
    fn sourced<T: Clone>(&self, value: Option<&T>) -> Option<Sourced<T>> {
        value.map(|value| Sourced::new(value.clone(), self.origin()))
    }

    /// The elements of the list that is at this place.
    fn elements<T: Clone>(&self, list: &[T]) -> Vec<Sourced<T>> {
        let element = |(index, value): (usize, &T)| {
            let path = self.path.clone().index(index);
            Sourced::new(value.clone(), Origin::new(self.file, path.to_string()))
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
    jail.parent = place.key("parent").sourced(given.parent.as_ref());
    jail.host = place.key("host").sourced(given.host.as_ref());
    jail.ip4 = place.key("ip4").sourced(given.ip4.as_ref());
    jail.ip4_addr = place.key("ip4Addr").elements(&given.ip4_addr);
    jail.ip6 = place.key("ip6").sourced(given.ip6.as_ref());
    jail.ip6_addr = place.key("ip6Addr").elements(&given.ip6_addr);
    jail.vnet = place.key("vnet").sourced(given.vnet.as_ref());
    jail.interface = place.key("interface").sourced(given.interface.as_ref());
    jail.vnet_interfaces = place.key("vnetInterfaces").elements(&given.vnet_interfaces);
    jail.sysvmsg = place.key("sysvmsg").sourced(given.sysvmsg.as_ref());
    jail.sysvsem = place.key("sysvsem").sourced(given.sysvsem.as_ref());
    jail.sysvshm = place.key("sysvshm").sourced(given.sysvshm.as_ref());
    jail.enforce_statfs = place.key("enforceStatfs").sourced(given.enforce_statfs.as_ref());
    let allow = place.key("allow");
    for (parameter, key, value) in given.allow.given() {
        jail.allow.insert(parameter, Sourced::new(value, allow.key(key).origin()));
    }
}

/// The older form, in whichever document.
fn network(jail: &mut Jail, given: &Network, place: &Place<'_>, rule: &mut Rule<'_>) {
    let (ipv4, ipv6, vnet) = (place.key("ipv4"), place.key("ipv6"), place.key("vnet"));
    rule.mode(&mut jail.ip4, ipv4.key("mode").sourced(given.ipv4.mode.as_ref()));
    rule.addresses(&mut jail.ip4_addr, ipv4.key("addr").elements(&given.ipv4.addr));
    rule.mode(&mut jail.ip6, ipv6.key("mode").sourced(given.ipv6.mode.as_ref()));
    rule.addresses(&mut jail.ip6_addr, ipv6.key("addr").elements(&given.ipv6.addr));
    rule.mode(&mut jail.vnet, vnet.key("mode").sourced(given.vnet.mode.as_ref()));
    interfaces(&mut jail.vnet_interfaces, vnet.key("interfaces").elements(&given.vnet.interfaces));
}

/// Appends the interfaces that are not there.
fn interfaces(list: &mut Vec<Sourced<InterfaceName>>, more: Vec<Sourced<InterfaceName>>) {
    let mut seen: BTreeSet<InterfaceName> = list.iter().map(|old| old.value.clone()).collect();
    list.extend(more.into_iter().filter(|new| seen.insert(new.value.clone())));
}
