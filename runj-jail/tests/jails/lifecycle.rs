use std::time::Duration;

use nix::sys::signal;
use nix::sys::wait::WaitStatus;
use runj_jail::{Errno, Jail, Jailsys, Kind, Params, ProcessId, Signal, Value};

use crate::cases;
use crate::support::{SOON, address, fresh_name, jail, refusal};
use crate::sys;

cases![
    a_jail_is_found_by_its_name_and_jid,
    parameters_are_read_back,
    what_is_not_asked_for_has_the_kernels_defaults,
    parameters_are_updated,
    a_removed_jail_is_gone,
    removal_kills_what_is_inside,
    all_processes_get_the_signal,
    a_jail_is_empty_once_its_processes_have_ended,
    a_process_is_told_from_a_later_one,
    without_persist_a_jail_ends_with_its_processes,
    a_number_as_a_name_is_the_jid,
];

fn a_jail_is_found_by_its_name_and_jid() {
    let jail = jail(Params::new());
    assert_eq!(Jail::find(&jail.name).unwrap(), Some(*jail));
    assert_eq!(Jail::by_jid(jail.jid()).unwrap(), Some(*jail));
    assert!(Jail::list().unwrap().contains(&jail));
    assert_eq!(jail.name().unwrap(), jail.name.to_string());
    let root = jail.root.path().canonicalize().unwrap();
    assert_eq!(jail.path().unwrap(), root.to_str().unwrap());
    assert_eq!(Jail::find(&fresh_name().parse().unwrap()).unwrap(), None);
}

fn parameters_are_read_back() {
    let addresses = vec![address(9), address(3)];
    let mut params = Params::new()
        .string("host.hostname", "one.example")
        .int("enforce_statfs", 1)
        .int("devfs_ruleset", 4)
        .flag("allow.raw_sockets", true)
        .flag("allow.set_hostname", false)
        .flag("allow.mount.nullfs", true);
    params.push("ip4.addr", Value::Ip4(addresses.clone()));
    let jail = jail(params);
    let wanted = [
        ("host.hostname", Kind::String, Value::String("one.example".into())),
        ("host", Kind::Jailsys, Value::Jailsys(Jailsys::New)),
        ("enforce_statfs", Kind::Int, Value::Int(1)),
        ("devfs_ruleset", Kind::Int, Value::Int(4)),
        ("allow.raw_sockets", Kind::Flag, Value::Flag(true)),
        ("allow.nochflags", Kind::Flag, Value::Flag(true)),
        ("allow.set_hostname", Kind::Flag, Value::Flag(false)),
        ("allow.mount.nullfs", Kind::Flag, Value::Flag(true)),
        ("persist", Kind::Flag, Value::Flag(true)),
        ("dying", Kind::Flag, Value::Flag(false)),
        ("ip4.addr", Kind::Ip4, Value::Ip4(addresses)),
        ("ip6.addr", Kind::Ip6, Value::Ip6(vec![])),
    ];
    let names: Vec<_> = wanted.iter().map(|(name, kind, _)| (*name, *kind)).collect();
    let values: Vec<_> = wanted.into_iter().map(|(.., value)| value).collect();
    assert_eq!(jail.get(&names).unwrap(), values);
    let (errno, message) = refusal(jail.get(&[("no.such", Kind::Int)]));
    assert_eq!(errno, Errno::EINVAL);
    assert_eq!(message.as_deref(), Some("unknown parameter: no.such"));
}

fn what_is_not_asked_for_has_the_kernels_defaults() {
    let jail = jail(Params::new());
    for (name, on) in [
        ("allow.set_hostname", true),
        ("allow.reserved_ports", true),
        ("allow.unprivileged_proc_debug", true),
        ("allow.suser", true),
        ("allow.raw_sockets", false),
        ("allow.mount", false),
        ("allow.socket_af", false),
        ("allow.sysvipc", false),
        ("ip4.saddrsel", true),
    ] {
        assert_eq!(jail.get(&[(name, Kind::Flag)]).unwrap(), [Value::Flag(on)], "{name}");
    }
    for (name, mode) in [
        ("ip4", Jailsys::Disable),
        ("ip6", Jailsys::Disable),
        ("vnet", Jailsys::Inherit),
        ("host", Jailsys::New),
    ] {
        assert_eq!(jail.get(&[(name, Kind::Jailsys)]).unwrap(), [Value::Jailsys(mode)], "{name}");
    }
    let wanted = [("children.max", Kind::Int), ("host.hostname", Kind::String)];
    let values = jail.get(&wanted).unwrap();
    assert_eq!(values, [Value::Int(0), Value::String(String::new())]);
}

fn parameters_are_updated() {
    let jail = jail(Params::new().string("host.hostname", "before"));
    let name = fresh_name();
    let mut change = Params::new()
        .string("name", &name)
        .string("host.hostname", "after")
        .flag("allow.chflags", true)
        .flag("allow.set_hostname", false)
        .int("children.max", 3);
    change.push("ip4.addr", Value::Ip4(vec![address(9)]));
    jail.update(&change).unwrap();
    let wanted = [
        ("host.hostname", Kind::String),
        ("allow.chflags", Kind::Flag),
        ("allow.set_hostname", Kind::Flag),
        ("children.max", Kind::Int),
        ("ip4.addr", Kind::Ip4),
    ];
    let expected = [
        Value::String("after".into()),
        Value::Flag(true),
        Value::Flag(false),
        Value::Int(3),
        Value::Ip4(vec![address(9)]),
    ];
    assert_eq!(jail.get(&wanted).unwrap(), expected);
    assert_eq!(Jail::find(&jail.name).unwrap(), None);
    assert_eq!(Jail::find(&name.parse().unwrap()).unwrap(), Some(*jail));
}

fn a_removed_jail_is_gone() {
    let jail = jail(Params::new());
    jail.remove().unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    assert_eq!(Jail::find(&jail.name).unwrap(), None);
    assert_eq!(refusal(jail.name()).0, Errno::ENOENT);
    assert_eq!(sys::enter(*jail), Err(Errno::EINVAL));
    let nothing = Params::new().flag("allow.chflags", true);
    let (errno, message) = refusal(jail.update(&nothing));
    assert_eq!(errno, Errno::ENOENT);
    assert_eq!(message, Some(format!("jail {} not found", jail.jid())));
    jail.remove().unwrap();
}

fn removal_kills_what_is_inside() {
    let jail = jail(Params::new());
    let inside = sys::start(*jail, |output| {
        sys::fork_sleeper();
        std::io::Write::write_all(output, b"ready\n").unwrap();
        sys::sleep_for_ever()
    });
    let mut inside = inside;
    assert_eq!(inside.line(), "ready");
    let processes = jail.processes().unwrap();
    assert_eq!(processes.len(), 2, "{processes:?}");
    jail.remove().unwrap();
    let (_, status) = inside.finish();
    assert!(matches!(status, WaitStatus::Signaled(_, signal::SIGKILL, _)), "{status:?}");
    assert!(jail.wait_gone(SOON).unwrap());
    for process in processes {
        assert!(process.wait(SOON).unwrap());
    }
}

fn all_processes_get_the_signal() {
    let jail = jail(Params::new());
    let outsider = sys::fork_sleeper();
    let mut inside = sys::start(*jail, |output| {
        for _ in 0..4 {
            sys::fork_sleeper();
        }
        std::io::Write::write_all(output, b"ready\n").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    assert_eq!(jail.signal_all(Signal::TERM).unwrap(), 5);
    let (_, status) = inside.finish();
    assert!(matches!(status, WaitStatus::Signaled(_, signal::SIGTERM, _)), "{status:?}");
    assert!(jail.wait_empty(SOON).unwrap());
    assert_eq!(jail.signal_all(Signal::TERM).unwrap(), 0);
    let outsider = ProcessId::of(outsider).unwrap().unwrap();
    assert!(outsider.is_alive().unwrap());
    assert!(outsider.signal(Signal::KILL).unwrap());
}

fn a_jail_is_empty_once_its_processes_have_ended() {
    let jail = jail(Params::new());
    assert!(jail.wait_empty(Duration::ZERO).unwrap());
    let mut inside = sys::start(*jail, |output| {
        std::io::Write::write_all(output, b"ready\n").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    let process = ProcessId::of(inside.pid).unwrap().unwrap();
    assert_eq!(jail.processes().unwrap(), [process]);
    assert!(!jail.wait_empty(Duration::from_millis(30)).unwrap());
    assert!(process.signal(Signal::KILL).unwrap());
    // It has not been collected yet: a zombie does not count.
    assert!(jail.wait_empty(SOON).unwrap());
    assert!(!process.is_alive().unwrap());
    inside.finish();
    assert_eq!(Jail::by_jid(jail.jid()).unwrap(), Some(*jail));
}

fn a_process_is_told_from_a_later_one() {
    let pid = sys::fork_sleeper();
    let process = ProcessId::of(pid).unwrap().unwrap();
    let earlier = ProcessId::recorded(pid, process.start().wrapping_sub(1));
    assert!(!earlier.is_alive().unwrap());
    assert!(!earlier.signal(Signal::KILL).unwrap());
    assert!(earlier.wait(Duration::ZERO).unwrap());
    assert!(!process.wait(Duration::from_millis(10)).unwrap());
    assert!(process.signal(Signal::KILL).unwrap());
    assert!(process.wait(SOON).unwrap());
    assert_eq!(ProcessId::of(pid).unwrap(), None);
}

fn without_persist_a_jail_ends_with_its_processes() {
    let jail = jail(Params::new());
    let mut inside = sys::start(*jail, |output| {
        std::io::Write::write_all(output, b"ready\n").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    jail.update(&Params::new().flag("persist", false)).unwrap();
    assert_eq!(Jail::find(&jail.name).unwrap(), Some(*jail));
    assert_eq!(jail.signal_all(Signal::KILL).unwrap(), 1);
    inside.finish();
    assert!(jail.wait_gone(SOON).unwrap());
}

fn a_number_as_a_name_is_the_jid() {
    let root = tempfile::tempdir().unwrap();
    let params = crate::support::params("770077", &root);
    let jail = Jail::create(&params).unwrap();
    let name = jail.name().unwrap();
    let again = refusal(Jail::create(&params));
    jail.remove().unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    assert_eq!((jail.jid().as_raw(), name.as_str()), (770_077, "770077"));
    assert_eq!(again, (Errno::EEXIST, Some("jail 770077 already exists".into())));
}
