//! Rules of `kern_jail_set` that runj has nothing to say about before the kernel does. Those of
//! which it has are the tests of runj-net's, `rules`.

use runj_jail::{Errno, Jail, Jailsys, Params, Value};

use crate::cases;
use crate::support::{address, fresh_name, jail, params, refusal};

cases![
    a_device_rule_set_out_of_range,
    more_children_than_the_host_can_have,
    a_path_that_is_missing,
    a_path_that_is_a_file,
    a_jail_that_would_not_last,
    a_network_stack_cannot_be_changed,
    the_mode_of_ip4_cannot_be_changed,
    the_mode_of_ip6_cannot_be_changed,
    addresses_cannot_come_to_a_jail_that_inherits,
    addresses_cannot_come_to_a_network_stack,
    the_root_cannot_be_changed,
    the_release_cannot_be_changed,
    what_is_refused_changes_nothing,
];

/// Creating a jail with these fails like that, and leaves none behind.
#[track_caller]
fn refused(with: Params, errno: Errno, message: Option<&str>) {
    let root = tempfile::tempdir().unwrap();
    let name = fresh_name();
    let mut all = params(&name, &root);
    let described = format!("{with:?}");
    all.extend(with);
    let expected = (errno, message.map(str::to_owned));
    assert_eq!(refusal(Jail::create(&all)), expected, "{described}");
    assert_eq!(Jail::find(&name.parse().unwrap()).unwrap(), None);
}

fn a_device_rule_set_out_of_range() {
    for number in [-1, 65536] {
        refused(Params::new().int("devfs_ruleset", number), Errno::EINVAL, None);
    }
    jail(Params::new().int("devfs_ruleset", 65535));
}

fn more_children_than_the_host_can_have() {
    refused(Params::new().int("children.max", i32::MAX), Errno::EPERM, None);
}

fn at_path(path: &str) -> (Errno, Option<String>) {
    let params = Params::new().string("path", path).flag("persist", true);
    refusal(Jail::create(&params.string("name", fresh_name())))
}

fn a_path_that_is_missing() {
    assert_eq!(at_path("/no/such/directory"), (Errno::ENOENT, None));
}

fn a_path_that_is_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(at_path(file.path().to_str().unwrap()), (Errno::ENOTDIR, None));
}

fn a_jail_that_would_not_last() {
    let text = Some("new jail must persist or attach");
    refused(Params::new().flag("persist", false), Errno::EINVAL, text);
}

/// Changing a jail of these in that way is refused with that text.
#[track_caller]
fn unchangeable(with: Params, change: &Params, text: &str) {
    let refused = refusal(jail(with).update(change));
    assert_eq!(refused, (Errno::EINVAL, Some(text.to_owned())), "{change:?}");
}

const MODES: [Jailsys; 3] = [Jailsys::Inherit, Jailsys::New, Jailsys::Disable];

fn a_network_stack_cannot_be_changed() {
    for mode in [Jailsys::Inherit, Jailsys::New] {
        let change = Params::new().jailsys("vnet", mode);
        unchangeable(Params::new(), &change, "vnet cannot be changed after creation");
    }
}

fn the_mode_of_ip4_cannot_be_changed() {
    for mode in MODES {
        let change = Params::new().jailsys("ip4", mode);
        unchangeable(Params::new(), &change, "ip4 cannot be changed after creation");
    }
}

fn the_mode_of_ip6_cannot_be_changed() {
    for mode in MODES {
        let change = Params::new().jailsys("ip6", mode);
        unchangeable(Params::new(), &change, "ip6 cannot be changed after creation");
    }
}

fn addresses() -> Params {
    let mut params = Params::new();
    params.push("ip4.addr", Value::Ip4(vec![address(9)]));
    params
}

fn addresses_cannot_come_to_a_jail_that_inherits() {
    let inherit = Params::new().jailsys("ip4", Jailsys::Inherit);
    unchangeable(inherit, &addresses(), "ip4 cannot be changed after creation");
}

fn addresses_cannot_come_to_a_network_stack() {
    let own = Params::new().jailsys("vnet", Jailsys::New);
    let text = "vnet jails cannot have IP address restrictions";
    unchangeable(own, &addresses(), text);
}

fn the_root_cannot_be_changed() {
    let change = Params::new().string("path", "/");
    unchangeable(Params::new(), &change, "path cannot be changed after creation");
}

fn the_release_cannot_be_changed() {
    let change = Params::new().string("osrelease", "13.2");
    unchangeable(Params::new(), &change, "osrelease cannot be changed after creation");
    let change = Params::new().int("osreldate", 1_302_001);
    unchangeable(Params::new(), &change, "osreldate cannot be changed after creation");
}

fn what_is_refused_changes_nothing() {
    let jail = jail(Params::new().string("host.hostname", "before"));
    let change = Params::new().string("host.hostname", "after").int("enforce_statfs", 3);
    assert_eq!(refusal(jail.update(&change)), (Errno::EINVAL, None));
    let name = jail.get(&[("host.hostname", runj_jail::Kind::String)]).unwrap();
    assert_eq!(name, [Value::String("before".into())]);
}
