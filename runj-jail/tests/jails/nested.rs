//! Jails that are made by a process in a jail.

use std::fmt::Debug;
use std::io::Write as _;

use runj_jail::{Errno, Error, Jail, Params};

use crate::cases;
use crate::support::jail;
use crate::sys;

/// Why the development host does not know this.
pub(crate) const ONLY_FREEBSD: &str = "emulated jails are made by processes of the host alone";

cases![
    a_jail_makes_none_unless_it_may,
    a_jail_makes_as_many_as_it_may,
    a_jail_sees_those_it_has_and_no_others,
    a_jail_names_them_from_itself,
    a_jail_keeps_its_device_rule_set,
];

/// What `act` comes to in a jail that may have so many children.
fn inside<T: Debug>(children: i32, act: impl FnOnce() -> T) -> String {
    let jail = jail(Params::new().int("children.max", children).int("devfs_ruleset", 4));
    sys::run(*jail, |output| write!(output, "{:?}", act()).unwrap())
}

/// Makes a jail, in a jail; what it is refused with.
fn make(name: &str, with: Params) -> Result<Jail, (Errno, Option<String>)> {
    let mut all = Params::new().string("name", name).string("path", "/").flag("persist", true);
    all.extend(with);
    Jail::create(&all).map_err(|error| match error {
        Error::Refused { errno, message, .. } => (errno, message),
        other => panic!("{other}"),
    })
}

fn a_jail_makes_none_unless_it_may() {
    let made = inside(0, || make("child", Params::new()).unwrap_err());
    assert_eq!(made, format!("{:?}", (Errno::EPERM, None::<String>)));
}

fn a_jail_makes_as_many_as_it_may() {
    let made = inside(1, || {
        make("one", Params::new()).unwrap();
        make("two", Params::new()).unwrap_err()
    });
    assert_eq!(made, format!("{:?}", (Errno::EPERM, Some("prison limit exceeded"))));
}

fn a_jail_sees_those_it_has_and_no_others() {
    let other = jail(Params::new());
    let listed = inside(1, || {
        let child = make("child", Params::new()).unwrap();
        (Jail::list().unwrap() == [child], Jail::by_jid(other.jid()).unwrap())
    });
    assert_eq!(listed, "(true, None)");
}

fn a_jail_names_them_from_itself() {
    let parent = jail(Params::new().int("children.max", 1));
    let name = sys::run(*parent, |output| {
        let child = make("child", Params::new()).unwrap();
        write!(output, "{}", child.name().unwrap()).unwrap();
    });
    assert_eq!(name, "child");
    let full = format!("{}.child", parent.name).parse().unwrap();
    assert!(Jail::find(&full).unwrap().is_some());
}

fn a_jail_keeps_its_device_rule_set() {
    let ruleset = |number| Params::new().int("devfs_ruleset", number);
    let made = inside(2, || {
        make("same", ruleset(4)).unwrap();
        make("other", ruleset(5)).unwrap_err()
    });
    assert_eq!(made, format!("{:?}", (Errno::EPERM, None::<String>)));
}
