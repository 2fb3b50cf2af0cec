use std::io::Write;

use runj_jail::{Errno, Jail, Jailsys, Kind, Params, Value};

use crate::cases;
use crate::support::{SOON, TestJail, fresh_name, jail, named, params, refusal};
use crate::sys;

cases![
    a_child_is_in_its_parent,
    a_parent_takes_its_children_along,
    processes_of_children_count_for_the_parent,
    the_host_may_make_more_children_than_the_parent_could,
    a_child_is_allowed_no_more_than_its_parent,
    a_child_sees_no_more_mounts_than_its_parent,
    a_child_may_have_fewer_children_than_its_parent,
    a_child_is_not_less_secure_than_its_parent,
    a_child_has_no_system_v_objects_if_its_parent_has_none,
    the_host_may_give_a_child_another_device_rule_set,
    a_parents_loss_is_its_childs,
    a_new_name_is_part_of_the_childs,
];

fn child_of(parent: &TestJail, with: Params) -> TestJail {
    named(&format!("{}.{}", parent.name, fresh_name()), with)
}

fn a_child_is_in_its_parent() {
    let parent = jail(Params::new().string("host.hostname", "parent.example"));
    let child = child_of(&parent, Params::new().jailsys("host", Jailsys::Inherit));
    let wanted = [("parent", Kind::Int), ("name", Kind::String), ("host.hostname", Kind::String)];
    let expected = [
        Value::Int(parent.jid().as_raw()),
        Value::String(child.name.to_string()),
        Value::String("parent.example".into()),
    ];
    assert_eq!(child.get(&wanted).unwrap(), expected);
    let count = [("children.cur", Kind::Int)];
    assert_eq!(parent.get(&count).unwrap(), [Value::Int(1)]);
    let seen = sys::run(*child, |output| {
        write!(output, "{}", nix::unistd::gethostname().unwrap().display()).unwrap();
    });
    assert_eq!(seen, "parent.example");
}

fn a_parent_takes_its_children_along() {
    let parent = jail(Params::new());
    let child = child_of(&parent, Params::new());
    let grandchild = child_of(&child, Params::new());
    let mut inside = sys::start(*grandchild, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    parent.remove().unwrap();
    let (_, status) = inside.finish();
    assert!(format!("{status:?}").contains("SIGKILL"), "{status:?}");
    for jail in [&parent, &child, &grandchild] {
        assert!(jail.wait_gone(SOON).unwrap());
    }
}

fn processes_of_children_count_for_the_parent() {
    let parent = jail(Params::new());
    let child = child_of(&parent, Params::new());
    assert_eq!(parent.processes().unwrap(), []);
    let mut inside = sys::start(*child, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    let pids = |jail: &Jail| jail.processes().unwrap().iter().map(|p| p.pid()).collect::<Vec<_>>();
    assert_eq!(pids(&parent), [inside.pid]);
    assert_eq!(pids(&child), [inside.pid]);
    assert_eq!(parent.signal_all("KILL".parse().unwrap()).unwrap(), 1);
    inside.finish();
}

/// The kernel looks at the maker's limits, and the host has none.
fn the_host_may_make_more_children_than_the_parent_could() {
    let parent = jail(Params::new().int("children.max", 0));
    let (_one, _two) = (child_of(&parent, Params::new()), child_of(&parent, Params::new()));
    assert_eq!(parent.get(&[("children.cur", Kind::Int)]).unwrap(), [Value::Int(2)]);
}

/// A child with the second of these is refused, one with the first is not, below a parent with
/// `parent`.
#[track_caller]
fn bounded(parent: Params, allowed: Params, beyond: Params) {
    let parent = jail(parent);
    drop(child_of(&parent, allowed));
    let root = tempfile::tempdir().unwrap();
    let mut all = params(&format!("{}.child", parent.name), &root);
    all.extend(beyond);
    assert_eq!(refusal(Jail::create(&all)), (Errno::EPERM, None));
}

fn a_child_is_allowed_no_more_than_its_parent() {
    let raw = || Params::new().flag("allow.raw_sockets", true);
    bounded(raw(), raw(), raw().flag("allow.chflags", true));
}

fn a_child_sees_no_more_mounts_than_its_parent() {
    let level = |level| Params::new().int("enforce_statfs", level);
    bounded(level(1), level(1), level(0));
}

fn a_child_may_have_fewer_children_than_its_parent() {
    let children = |number| Params::new().int("children.max", number);
    bounded(children(3), children(2), children(3));
}

fn a_child_is_not_less_secure_than_its_parent() {
    let level = |level| Params::new().int("securelevel", level);
    bounded(level(1), level(1), level(0));
}

fn a_child_has_no_system_v_objects_if_its_parent_has_none() {
    let shared = |mode| Params::new().jailsys("sysvshm", mode);
    bounded(Params::new(), shared(Jailsys::Disable), shared(Jailsys::New));
    bounded(Params::new(), shared(Jailsys::Disable), shared(Jailsys::Inherit));
    bounded(
        shared(Jailsys::New),
        shared(Jailsys::New),
        Params::new().jailsys("sysvmsg", Jailsys::New),
    );
}

/// A process in the parent may not (`nested`).
fn the_host_may_give_a_child_another_device_rule_set() {
    let ruleset = |number| Params::new().int("devfs_ruleset", number);
    let parent = jail(ruleset(4));
    let child = child_of(&parent, ruleset(5));
    assert_eq!(child.get(&[("devfs_ruleset", Kind::Int)]).unwrap(), [Value::Int(5)]);
}

fn a_parents_loss_is_its_childs() {
    let parent = jail(Params::new().flag("allow.raw_sockets", true));
    let child = child_of(&parent, Params::new().flag("allow.raw_sockets", true));
    parent.update(&Params::new().flag("allow.raw_sockets", false)).unwrap();
    let wanted = [("allow.raw_sockets", Kind::Flag)];
    assert_eq!(child.get(&wanted).unwrap(), [Value::Flag(false)]);
}

fn a_new_name_is_part_of_the_childs() {
    let parent = jail(Params::new());
    let child = named(&format!("{}.child", parent.name), Params::new());
    let name = fresh_name();
    parent.update(&Params::new().string("name", &name)).unwrap();
    assert_eq!(child.name().unwrap(), format!("{name}.child"));
}
