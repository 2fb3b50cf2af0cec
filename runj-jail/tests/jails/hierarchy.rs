use std::io::Write;

use runj_jail::{Errno, Jail, Jailsys, Kind, Params, Value};

use crate::cases;
use crate::support::{SOON, TestJail, address, fresh_name, jail, named, params, refusal};
use crate::sys;

cases![
    a_child_is_in_its_parent,
    a_parent_takes_its_children_along,
    processes_of_children_count_for_the_parent,
    a_child_cannot_have_more_than_its_parent,
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

fn a_child_cannot_have_more_than_its_parent() {
    let parent = jail(Params::new().int("enforce_statfs", 1));
    let root = tempfile::tempdir().unwrap();
    let create = |with: Params| {
        let mut all = params(&format!("{}.child", parent.name), &root);
        all.extend(with);
        refusal(Jail::create(&all))
    };
    let mut addresses = Params::new();
    addresses.push("ip4.addr", Value::Ip4(vec![address(9)]));
    for more in [
        Params::new().flag("allow.raw_sockets", true),
        Params::new().int("enforce_statfs", 0),
        Params::new().int("children.max", 0),
        Params::new().jailsys("sysvshm", Jailsys::New),
        addresses,
    ] {
        assert_eq!(create(more), (Errno::EPERM, None));
    }
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
