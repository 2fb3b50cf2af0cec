//! Documents to test with, made at random.
//!
//! All of them are right, and written as runj-spec prints them. At every level there are properties
//! that it does not know; their names start with `x`, which no known one does.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Any JSON at all.
pub(crate) fn any_json() -> BoxedStrategy<Value> {
    let float = proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        float.prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(".{0,6}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
    .boxed()
}

/// Properties of an object, each with its name.
type Properties = Vec<(&'static str, BoxedStrategy<Value>)>;

/// An object with all of `required`, any of `optional` and some unknown properties; at least one in
/// all.
fn object(required: Properties, optional: Properties) -> BoxedStrategy<Value> {
    let required = required
        .into_iter()
        .map(|(name, value)| value.prop_map(move |value| Some((name, value))).boxed());
    let optional = optional
        .into_iter()
        .map(|(name, value)| option::of(value.prop_map(move |value| (name, value))).boxed());
    let known: Vec<_> = required.chain(optional).collect();
    let unknown = btree_map("x[a-zA-Z .]{0,5}", any_json(), 0..3);
    (known, unknown)
        .prop_map(|(known, unknown)| {
            let known = known.into_iter().flatten().map(|(name, value)| (name.to_owned(), value));
            let mut object: Map<_, _> = known.chain(unknown).collect();
            if object.is_empty() {
                object.insert("x".to_owned(), Value::Null);
            }
            Value::Object(object)
        })
        .boxed()
}

fn list(element: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec(element, 1..4).prop_map(Value::from).boxed()
}

fn text(pattern: &'static str) -> BoxedStrategy<Value> {
    pattern.prop_map(Value::from).boxed()
}

fn c_string() -> BoxedStrategy<Value> {
    text("[^\0]{0,8}")
}

fn non_empty() -> BoxedStrategy<Value> {
    text("[^\0]{1,8}")
}

fn absolute_path() -> BoxedStrategy<Value> {
    text("/[^\0]{0,8}")
}

fn variables() -> BoxedStrategy<Value> {
    list(text("[^\0=]{1,4}=[^\0]{0,4}"))
}

fn word(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn only_true() -> BoxedStrategy<Value> {
    Just(Value::Bool(true)).boxed()
}

fn integer(greatest: u64) -> BoxedStrategy<Value> {
    prop_oneof![0..=greatest, Just(0), Just(greatest)].prop_map(Value::from).boxed()
}

fn shared() -> BoxedStrategy<Value> {
    word(&["inherit", "new"])
}

fn jailsys() -> BoxedStrategy<Value> {
    word(&["inherit", "new", "disable"])
}

/// Texts of addresses, each address once. Most are from a small pool, so that lists overlap.
fn addresses(address: BoxedStrategy<String>, bits: u8) -> impl Strategy<Value = Vec<String>> {
    btree_map(address, option::of(0..=bits), 1..4).prop_map(|addresses| {
        let written = addresses.into_iter().map(|(address, prefix)| match prefix {
            Some(prefix) => format!("{address}/{prefix}"),
            None => address,
        });
        written.collect()
    })
}

fn ip4() -> impl Strategy<Value = Vec<String>> {
    let address = prop_oneof![3 => 1..6_u32, 1 => 1..u32::MAX];
    addresses(address.prop_map(|bits| Ipv4Addr::from_bits(bits).to_string()).boxed(), 32)
}

fn ip6() -> impl Strategy<Value = Vec<String>> {
    let address = prop_oneof![3 => 1..6_u128, 1 => 1..=u128::MAX];
    addresses(address.prop_map(|bits| Ipv6Addr::from_bits(bits).to_string()).boxed(), 128)
}

fn ip4_list() -> BoxedStrategy<Value> {
    ip4().prop_map(Value::from).boxed()
}

fn ip6_list() -> BoxedStrategy<Value> {
    ip6().prop_map(Value::from).boxed()
}

fn interfaces() -> BoxedStrategy<Value> {
    btree_set("(epair[0-9][ab]|[a-z]{1,8}[0-9]{1,2})", 1..4)
        .prop_map(|names| names.into_iter().collect())
        .boxed()
}

fn root() -> BoxedStrategy<Value> {
    object(vec![("path", non_empty())], vec![("readonly", only_true())])
}

/// A `process`.
pub(crate) fn process() -> BoxedStrategy<Value> {
    let ids = || integer(u32::MAX.into());
    let user = object(
        vec![("uid", ids()), ("gid", ids())],
        vec![("umask", integer(0o777)), ("additionalGids", list(ids()))],
    );
    let side = || integer(u16::MAX.into());
    let size = object(vec![("height", side()), ("width", side())], vec![]);
    let rlimits = btree_map("RLIMIT_[A-Z]{1,8}", (any::<u64>(), any::<u64>()), 1..4)
        .prop_map(|limits| {
            let limit = |(typ, (a, b)): (String, (u64, u64))| {
                json!({"type": typ, "soft": a.min(b), "hard": a.max(b)})
            };
            limits.into_iter().map(limit).collect::<Value>()
        })
        .boxed();
    object(
        vec![("user", user), ("args", list(c_string())), ("cwd", absolute_path())],
        vec![
            ("terminal", only_true()),
            ("consoleSize", size),
            ("env", variables()),
            ("rlimits", rlimits),
            ("noNewPrivileges", only_true()),
        ],
    )
}

fn mounts() -> BoxedStrategy<Value> {
    list(object(
        vec![("destination", absolute_path())],
        vec![("type", non_empty()), ("source", c_string()), ("options", list(c_string()))],
    ))
}

fn hooks() -> BoxedStrategy<Value> {
    let hooks = || {
        let timeout = (1..=u32::MAX).prop_map(Value::from).boxed();
        list(object(
            vec![("path", absolute_path())],
            vec![("args", list(c_string())), ("env", variables()), ("timeout", timeout)],
        ))
    };
    let points =
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
    object(vec![], points.map(|point| (point, hooks())).into())
}

fn jail() -> BoxedStrategy<Value> {
    let types = list(text("(tmpfs|nullfs|[a-m][a-z0-9_]{0,14})"));
    let allow = object(
        vec![],
        vec![
            ("setHostname", flag()),
            ("rawSockets", flag()),
            ("chflags", flag()),
            ("mount", prop_oneof![flag(), types].boxed()),
            ("quotas", flag()),
            ("socketAf", flag()),
            ("mlock", flag()),
            ("reservedPorts", flag()),
            ("suser", flag()),
            ("sysvipc", flag()),
        ],
    );
    object(
        vec![],
        vec![
            ("parent", non_empty()),
            ("host", shared()),
            ("ip4", jailsys()),
            ("ip4Addr", ip4_list()),
            ("ip6", jailsys()),
            ("ip6Addr", ip6_list()),
            ("vnet", shared()),
            ("interface", text("[a-z]{1,8}[0-9]")),
            ("vnetInterfaces", interfaces()),
            ("sysvmsg", jailsys()),
            ("sysvsem", jailsys()),
            ("sysvshm", jailsys()),
            ("enforceStatfs", integer(2)),
            ("allow", allow),
        ],
    )
}

/// What both forms have, and `more`.
fn network(more: Properties) -> BoxedStrategy<Value> {
    let ip = |addresses| object(vec![], vec![("mode", jailsys()), ("addr", addresses)]);
    let vnet = object(vec![], vec![("mode", shared()), ("interfaces", interfaces())]);
    let both = vec![("ipv4", ip(ip4_list())), ("ipv6", ip(ip6_list())), ("vnet", vnet)];
    object(vec![], both.into_iter().chain(more).collect())
}

fn annotations() -> BoxedStrategy<Value> {
    let addresses = |list: BoxedStrategy<Vec<String>>| {
        list.prop_map(|addresses| Value::from(addresses.join(","))).boxed()
    };
    let known = object(
        vec![],
        vec![
            ("org.freebsd.parentJail", non_empty()),
            ("org.freebsd.jail.vnet", shared()),
            ("org.freebsd.jail.ip4.addr", addresses(ip4().boxed())),
            ("org.freebsd.jail.ip6.addr", addresses(ip6().boxed())),
            ("org.freebsd.jail.sysvmsg", jailsys()),
            ("org.freebsd.jail.sysvsem", jailsys()),
            ("org.freebsd.jail.sysvshm", jailsys()),
            ("org.freebsd.jail.allow.mlock", word(&["true", "1", "false", "0"])),
            ("org.freebsd.jail.allow.mount.zfs", word(&["true", "1", "false", "0"])),
            ("org.freebsd.jail.unknown", c_string()),
        ],
    );
    let only_texts = |value: Value| {
        let Value::Object(entries) = value else { unreachable!("it is an object") };
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        entries.into_iter().map(|(key, value)| (key, text(value))).collect()
    };
    known.prop_map(only_texts).boxed()
}

fn freebsd() -> BoxedStrategy<Value> {
    let devices = list(object(
        vec![("path", text("[a-z0-9]{1,6}(/[a-z0-9]{1,6})?"))],
        vec![("mode", integer(0o777))],
    ));
    object(vec![], vec![("devices", devices), ("jail", jail()), ("network", network(vec![]))])
        .prop_map(|mut freebsd| {
            agree(&mut freebsd);
            freebsd
        })
        .boxed()
}

/// Takes out of `network` what contradicts `jail`.
fn agree(freebsd: &mut Value) {
    let jail = freebsd["jail"].clone();
    for (mode, network) in [("ip4", "ipv4"), ("ip6", "ipv6"), ("vnet", "vnet")] {
        if let Some(network) = freebsd.pointer_mut(&format!("/network/{network}/mode"))
            && let Some(mode) = jail.get(mode)
        {
            *network = mode.clone();
        }
    }
    for (jail_list, network) in [("ip4Addr", "ipv4"), ("ip6Addr", "ipv6")] {
        let Some(network) = freebsd.pointer_mut(&format!("/network/{network}/addr")) else {
            continue;
        };
        for new in network.as_array_mut().expect("it is a list") {
            let same = |old: &&Value| address_of(old) == address_of(new);
            if let Some(old) =
                jail.get(jail_list).and_then(|list| list.as_array()?.iter().find(same))
                && old.as_str().is_some_and(|old| old.contains('/'))
            {
                *new = old.clone();
            }
        }
    }
}

/// The address in `address` or `address/prefix`.
pub(crate) fn address_of(text: &Value) -> &str {
    let text = text.as_str().expect("it is a text");
    text.split_once('/').map_or(text, |(address, _)| address)
}

/// A list of rctl(8) rules, each once.
fn rules() -> BoxedStrategy<Value> {
    let rule = "[a-z]{1,4}:(deny|sigusr[12])=[0-9]{1,4}[bkmgtpeKMG]?(/(user|jail))?";
    btree_set(rule, 1..4).prop_map(|rules| rules.into_iter().collect()).boxed()
}

/// The `linux` part of a config.json.
fn linux() -> BoxedStrategy<Value> {
    let limit = || prop_oneof![-1..=i64::MAX, Just(-1), Just(0)].prop_map(Value::from).boxed();
    let memory = object(vec![], vec![("limit", limit()), ("swap", limit())]);
    let cpu = vec![("quota", limit()), ("period", integer(u64::MAX)), ("cpus", c_string())];
    let pids = object(vec![], vec![("limit", limit())]);
    let resources = vec![("memory", memory), ("cpu", object(vec![], cpu)), ("pids", pids)];
    object(vec![], vec![("resources", object(vec![], resources))])
}

/// A config.json.
pub(crate) fn config() -> BoxedStrategy<Value> {
    object(
        vec![("ociVersion", text("1\\.(0|[1-9][0-9]?)\\.[0-9](-rc\\.[1-9])?"))],
        vec![
            ("root", root()),
            ("process", process()),
            ("hostname", c_string()),
            ("domainname", c_string()),
            ("mounts", mounts()),
            ("hooks", hooks()),
            ("annotations", annotations()),
            ("freebsd", freebsd()),
            ("linux", linux()),
        ],
    )
}

/// A runj.ext.json.
pub(crate) fn extension() -> BoxedStrategy<Value> {
    let network = network(vec![("resolvConf", word(&["none", "host"]))]);
    object(vec![], vec![("network", network), ("rctl", rules())])
}
