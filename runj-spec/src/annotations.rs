//! What podman and buildah say about a jail, in annotations, for want of a place in their
//! configurations.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decode::{Decoded, Reader, checked, parent_jail};
use crate::json_path::Step;
use crate::{AddressFamily, AllowParameter, IpAddress, Jail, Problems, Sourced};

/// What the annotations about a jail begin with.
pub(crate) const JAIL: &str = "org.freebsd.jail.";
/// The annotation that names a jail's parent.
pub(crate) const PARENT: &str = "org.freebsd.parentJail";
const IP6_ADDR: &str = "org.freebsd.jail.ip6.addr";
/// The same, as releases of ocijail have it.
const IP6_ADDR_ALIAS: &str = "org.freebsd.jail.ip6.add";

/// Fills with what `annotations` say what nothing else gave. Each is checked, also those that
/// another place overrules.
///
/// Keys that are not known are ignored, as the specification demands.
pub(crate) fn fill(
    jail: &mut Jail,
    file: &str,
    annotations: &BTreeMap<String, String>,
    problems: &mut Problems,
) {
    let reader = &mut Reader::new(file, problems);
    reader.below(Step::Key("annotations".to_owned()), |reader| {
        for (key, value) in annotations {
            // ocijail took the first for the second, and podman's users wrote it.
            let overruled = key == IP6_ADDR_ALIAS && annotations.contains_key(IP6_ADDR);
            let mut unused = Jail::default();
            let jail = if overruled { &mut unused } else { &mut *jail };
            reader.below(Step::Key(key.clone()), |reader| one(jail, reader, key, value));
        }
    });
}

/// Reads one annotation.
fn one(jail: &mut Jail, reader: &mut Reader<'_>, key: &str, value: &str) {
    match key {
        PARENT => fill_one(&mut jail.parent, reader, value, parent_jail),
        "org.freebsd.jail.vnet" => fill_one(&mut jail.vnet, reader, value, checked),
        "org.freebsd.jail.sysvmsg" => fill_one(&mut jail.sysvmsg, reader, value, checked),
        "org.freebsd.jail.sysvsem" => fill_one(&mut jail.sysvsem, reader, value, checked),
        "org.freebsd.jail.sysvshm" => fill_one(&mut jail.sysvshm, reader, value, checked),
        "org.freebsd.jail.ip4" => fill_one(&mut jail.ip4, reader, value, checked),
        "org.freebsd.jail.ip4.addr" => fill_addresses(&mut jail.ip4_addr, reader, value),
        "org.freebsd.jail.ip6" => fill_one(&mut jail.ip6, reader, value, checked),
        IP6_ADDR | IP6_ADDR_ALIAS => fill_addresses(&mut jail.ip6_addr, reader, value),
        _ => {
            if let Some(parameter) = key.strip_prefix("org.freebsd.jail.allow.") {
                fill_allow(&mut jail.allow, reader, parameter, value);
            }
        }
    }
}

fn fill_one<T>(
    slot: &mut Option<Sourced<T>>,
    reader: &mut Reader<'_>,
    value: &str,
    read: impl FnOnce(&mut Reader<'_>, Value) -> Decoded<T>,
) {
    let origin = reader.origin();
    if let Ok(value) = read(reader, Value::from(value))
        && slot.is_none()
    {
        *slot = Some(Sourced::new(value, origin));
    }
}

/// Reads addresses that commas separate. Nothing between two commas is nothing, as ocijail has it.
fn fill_addresses<A: AddressFamily>(
    list: &mut Vec<Sourced<IpAddress<A>>>,
    reader: &mut Reader<'_>,
    value: &str,
) {
    let mut seen = BTreeMap::new();
    let origin = reader.origin();
    let mut given = Vec::new();
    for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let text = Value::from(text);
        if let Ok(address) = checked::<IpAddress<A>>(reader, text.clone())
            && reader.once(&mut seen, address.address(), &text).is_ok()
        {
            given.push(Sourced::new(address, origin.clone()));
        }
    }
    if list.is_empty() {
        *list = given;
    }
}

fn fill_allow(
    allow: &mut BTreeMap<AllowParameter, Sourced<bool>>,
    reader: &mut Reader<'_>,
    parameter: &str,
    value: &str,
) {
    let parameter = checked::<AllowParameter>(reader, Value::from(parameter));
    let allowed = switch(reader, value);
    if let (Ok(parameter), Ok(allowed)) = (parameter, allowed) {
        let origin = reader.origin();
        allow.entry(parameter).or_insert(Sourced::new(allowed, origin));
    }
}

/// A boolean in words: those of ocijail, and their opposites.
fn switch(reader: &mut Reader<'_>, value: &str) -> Decoded<bool> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(reader.refuse(&Value::from(value), "one of \"true\", \"1\", \"false\", \"0\"")),
    }
}
