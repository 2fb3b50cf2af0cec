use std::net::Ipv4Addr;

use runj_jail::{Errno, Jail, Jailsys, Params, Value};

use crate::cases;
use crate::support::{address, fresh_name, jail, params, refusal};

cases![
    parameters_that_contradict_each_other,
    addresses_that_no_jail_can_have,
    addresses_of_another_jail,
    names,
    paths,
    what_cannot_be_changed,
    a_jail_that_would_not_last,
];

fn four(addresses: &[Ipv4Addr]) -> Value {
    Value::Ip4(addresses.to_vec())
}

fn six(addresses: &[&str]) -> Value {
    Value::Ip6(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

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

fn parameters_that_contradict_each_other() {
    use Jailsys::{Disable, Inherit, New};
    let text = Some("vnet jails cannot have IP address restrictions");
    for vnet in [New, Inherit] {
        for family in ["ip4", "ip6"] {
            for mode in [New, Inherit, Disable] {
                let both = Params::new().jailsys("vnet", vnet).jailsys(family, mode);
                refused(both, Errno::EINVAL, text);
            }
        }
        let mut both = Params::new().jailsys("vnet", vnet);
        both.push("ip4.addr", four(&[address(9)]));
        refused(both, Errno::EINVAL, text);
    }
    refused(Params::new().jailsys("vnet", Disable), Errno::EINVAL, None);
    refused(Params::new().jailsys("host", Disable), Errno::EINVAL, None);
    for level in [-1, 3] {
        refused(Params::new().int("enforce_statfs", level), Errno::EINVAL, None);
    }
    for number in [-1, 65536] {
        refused(Params::new().int("devfs_ruleset", number), Errno::EINVAL, None);
    }
    let unknown = Some("unknown parameter: allow.everything");
    refused(Params::new().flag("allow.everything", true), Errno::EINVAL, unknown);
    refused(Params::new().int("children.max", i32::MAX), Errno::EPERM, None);
}

fn addresses_that_no_jail_can_have() {
    let with = |name: &str, value| {
        let mut params = Params::new();
        params.push(name, value);
        params
    };
    for addresses in [
        &[Ipv4Addr::UNSPECIFIED][..],
        &[Ipv4Addr::BROADCAST],
        &[address(9), address(9)],
        &[address(9), address(3), address(9)],
    ] {
        refused(with("ip4.addr", four(addresses)), Errno::EINVAL, None);
    }
    refused(with("ip6.addr", six(&["::"])), Errno::EINVAL, None);
    refused(with("ip6.addr", six(&["fd00::1", "fd00::1"])), Errno::EINVAL, None);
    let many = (0..256).map(|n| Ipv4Addr::from(0x7f00_0100 + n)).collect();
    let text = Some("too many IPv4 addresses");
    refused(with("ip4.addr", Value::Ip4(many)), Errno::EINVAL, text);
}

fn addresses_of_another_jail() {
    let with = |addresses: &[Ipv4Addr]| {
        let mut params = Params::new();
        params.push("ip4.addr", four(addresses));
        params
    };
    let _two = jail(with(&[address(9), address(3)]));
    let _one = jail(with(&[address(5)]));
    let text = Some("IPv4 addresses clash");
    refused(with(&[address(3)]), Errno::EADDRINUSE, text);
    refused(with(&[address(5), address(6)]), Errno::EADDRINUSE, text);
    // One address each may be the same one.
    drop(jail(with(&[address(5)])));
}

fn names() {
    let taken = jail(Params::new());
    let name = taken.name.as_str();
    let root = tempfile::tempdir().unwrap();
    let create = |name: &str| refusal(Jail::create(&params(name, &root)));
    let text = |text: String| Some(text);
    assert_eq!(create(name), (Errno::EEXIST, text(format!("jail \"{name}\" already exists"))));
    let parent = fresh_name();
    let missing = text(format!("jail \"{parent}\" not found"));
    assert_eq!(create(&format!("{parent}.child")), (Errno::ENOENT, missing));
    let numeric = text("name cannot be numeric (unless it is the jid)".into());
    assert_eq!(create("0"), (Errno::EINVAL, numeric.clone()));
    assert_eq!(create("0770077"), (Errno::EINVAL, numeric));
    assert_eq!(create("-7"), (Errno::EINVAL, text("negative jid".into())));
    assert_eq!(create(&"n".repeat(256)), (Errno::ENAMETOOLONG, None));
}

fn paths() {
    let create = |path: &str| {
        let params = Params::new().string("path", path).flag("persist", true);
        refusal(Jail::create(&params.string("name", fresh_name())))
    };
    assert_eq!(create("/no/such/directory"), (Errno::ENOENT, None));
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(create(file.path().to_str().unwrap()), (Errno::ENOTDIR, None));
}

fn what_cannot_be_changed() {
    let jail = jail(Params::new().jailsys("ip4", Jailsys::Inherit));
    let text = |name: &str| Some(format!("{name} cannot be changed after creation"));
    for name in ["vnet", "ip4", "ip6"] {
        let change = Params::new().jailsys(name, Jailsys::Inherit);
        assert_eq!(refusal(jail.update(&change)), (Errno::EINVAL, text(name)));
    }
    let change = Params::new().string("path", "/");
    assert_eq!(refusal(jail.update(&change)), (Errno::EINVAL, text("path")));
    let change = Params::new().string("osrelease", "13.2");
    assert_eq!(refusal(jail.update(&change)), (Errno::EINVAL, text("osrelease")));
    let mut change = Params::new();
    change.push("ip4.addr", four(&[address(9)]));
    assert_eq!(refusal(jail.update(&change)), (Errno::EINVAL, text("ip4")));
}

fn a_jail_that_would_not_last() {
    let text = Some("new jail must persist or attach");
    refused(Params::new().flag("persist", false), Errno::EINVAL, text);
}
