//! What jails may use, and what they do use.

use std::io::Write;
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CpuSet as Mask, sched_getaffinity};
use nix::unistd::Pid;
use runj_jail::{CpuSet, Error, Jail, Limits, Params, Resource, Rule};

use crate::support::{SOON, jail};
use crate::{cases, sys};

cases![
    rules_are_added_read_back_and_removed,
    a_rule_that_denies_replaces_another_amount,
    no_more_processes_than_allowed,
    a_limit_holds_for_what_is_inside_already,
    a_limit_does_not_hold_for_jails_below,
    memory_beyond_the_limit_is_not_to_be_had,
    processors_are_seen_from_inside,
    processors_that_are_not_there,
    what_a_jail_uses_is_told,
];

/// What is true on a host that cannot enforce limits.
pub(crate) mod without {
    crate::cases![a_limit_is_refused_in_words];

    fn a_limit_is_refused_in_words() {
        let jail = super::jail(super::Params::new());
        let limits = jail.limits().unwrap();
        let error = limits.add(&super::rule("maxproc:deny=7")).unwrap_err();
        assert!(error.is_unenforceable());
        if cfg!(target_os = "freebsd") {
            assert!(
                error.to_string().contains("kern.racct.enable=1 in /boot/loader.conf"),
                "{error}"
            );
        }
        // They can be asked about all the same, and what is not there can be removed.
        assert_eq!(limits.rules().unwrap(), []);
        assert!(!limits.remove(&super::rule("maxproc:deny=7")).unwrap());
        assert!(jail.usage().unwrap().accounted.is_empty());
    }
}

/// Whether this host can enforce limits: all cases but those of [`without`] need it.
pub(crate) fn are_enforced() -> bool {
    let jail = jail(Params::new());
    match jail.limits().unwrap().add(&rule("maxproc:deny=1000")) {
        Ok(()) => {
            jail.limits().unwrap().remove(&rule("maxproc:deny=1000")).unwrap();
            true
        }
        Err(error) if error.is_unenforceable() => {
            eprintln!("tests of limits are ignored: {error}");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

fn rule(text: &str) -> Rule {
    text.parse().unwrap()
}

/// Rules that end with the test: on FreeBSD they outlive their jail.
struct Ruled(Limits, Vec<Rule>);

fn limited(jail: Jail, rules: &[&str]) -> Ruled {
    let mut ruled = Ruled(jail.limits().unwrap(), Vec::new());
    for text in rules {
        ruled.0.add(&rule(text)).unwrap();
        ruled.1.push(rule(text));
    }
    ruled
}

impl Drop for Ruled {
    fn drop(&mut self) {
        for rule in &self.1 {
            let _ = self.0.remove(rule);
        }
    }
}

fn rules_are_added_read_back_and_removed() {
    let jail = jail(Params::new());
    let limits = jail.limits().unwrap();
    assert_eq!(limits.rules().unwrap(), []);
    let rules = limited(*jail, &["maxproc:deny=9", "pcpu:deny=50"]);
    let mut there = limits.rules().unwrap();
    there.sort_by_key(Rule::to_string);
    assert_eq!(there, rules.1);
    assert!(limits.remove(&rules.1[0]).unwrap());
    assert_eq!(limits.rules().unwrap(), rules.1[1..]);
    assert!(!limits.remove(&rules.1[0]).unwrap(), "it is gone already");
    // Another amount is another rule.
    assert!(!limits.remove(&rule("pcpu:deny=51")).unwrap());
    assert!(limits.remove(&rules.1[1]).unwrap());
    assert_eq!(limits.rules().unwrap(), []);

    assert!(matches!(Limits::of("a:b"), Err(Error::Unlimitable(name)) if name == "a:b"));
}

fn a_rule_that_denies_replaces_another_amount() {
    let jail = jail(Params::new());
    let rules = limited(*jail, &["maxproc:deny=9", "maxproc:deny=8"]);
    assert_eq!(jail.limits().unwrap().rules().unwrap(), rules.1[1..]);
}

/// How many children a process can have beside itself, as a line, before the kernel refuses one.
fn fork_until_refused(output: &mut impl Write) {
    for children in 0..100 {
        match sys::try_fork_sleeper() {
            Ok(_) => {}
            Err(errno) => return writeln!(output, "{children} {errno:?}").unwrap(),
        }
    }
    writeln!(output, "no end").unwrap();
}

fn no_more_processes_than_allowed() {
    let jail = jail(Params::new());
    let _rules = limited(*jail, &["maxproc:deny=4"]);
    let mut inside = sys::start(*jail, fork_until_refused);
    assert_eq!(inside.line(), format!("3 {:?}", Errno::EAGAIN));
    jail.remove().unwrap();
    inside.end();
}

fn a_limit_holds_for_what_is_inside_already() {
    let jail = jail(Params::new());
    let (waiting, go) = nix::unistd::pipe().unwrap();
    let mut inside = sys::start(*jail, |output| {
        sys::fork_sleeper();
        writeln!(output, "ready").unwrap();
        nix::unistd::read(&waiting, &mut [0]).unwrap();
        fork_until_refused(output);
    });
    assert_eq!(inside.line(), "ready");
    let _rules = limited(*jail, &["maxproc:deny=4"]);
    nix::unistd::write(&go, &[0]).unwrap();
    assert_eq!(inside.line(), format!("2 {:?}", Errno::EAGAIN));
    jail.remove().unwrap();
    inside.end();
}

/// Whoever is in a jail that may have jails in it can leave its limits behind there: the kernel
/// gives a process the rules of its own jail only (`rctl_proc_ucred_changed`).
fn a_limit_does_not_hold_for_jails_below() {
    let parent = jail(Params::new().int("children.max", 1));
    let _rules = limited(*parent, &["maxproc:deny=4"]);
    let name = parent.name.child("below").unwrap();
    let below = Jail::create(
        &Params::new()
            .string("name", name.as_str())
            .string("path", parent.path().unwrap())
            .flag("persist", true),
    )
    .unwrap();
    let mut inside = sys::start(below, fork_until_refused);
    assert_eq!(inside.line(), "no end");
    parent.remove().unwrap();
    inside.end();
}

fn memory_beyond_the_limit_is_not_to_be_had() {
    const LIMIT: usize = 64 << 20;
    let jail = jail(Params::new());
    let _rules = limited(*jail, &["swapuse:deny=64m"]);
    let little = sys::run(*jail, |output| {
        let got = sys::use_memory(LIMIT / 4);
        write!(output, "{got:?}").unwrap();
    });
    assert_eq!(little, "Ok(())");
    // FreeBSD refuses it (of its mmap(2) one hears EINVAL), Linux ends whoever takes it.
    let (text, status) = sys::start(*jail, |output| {
        let got = sys::use_memory(LIMIT * 2);
        write!(output, "{got:?}").unwrap();
    })
    .finish();
    if cfg!(target_os = "freebsd") {
        assert!(["Err(EINVAL)", "Err(ENOMEM)"].contains(&&*text), "{text}");
    } else {
        assert_eq!((text.as_str(), format!("{status:?}").contains("SIGKILL")), ("", true));
    }
}

/// The processors that this process may run on.
fn own_cpus() -> CpuSet {
    let mask = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let cpus = (0..Mask::count()).filter(|cpu| mask.is_set(*cpu).unwrap());
    CpuSet::new(cpus.map(|cpu| u32::try_from(cpu).unwrap())).unwrap()
}

fn processors_are_seen_from_inside() {
    let jail = jail(Params::new());
    let all = jail.cpus().unwrap();
    assert_eq!(all, own_cpus());
    // Of a host with one processor this shows little.
    let last = CpuSet::new(all.iter().last()).unwrap();
    let (waiting, go) = nix::unistd::pipe().unwrap();
    let mut inside = sys::start(*jail, |output| {
        writeln!(output, "{}", own_cpus()).unwrap();
        nix::unistd::read(&waiting, &mut [0]).unwrap();
        writeln!(output, "{}", own_cpus()).unwrap();
    });
    assert_eq!(inside.line(), all.to_string());
    jail.set_cpus(&last).unwrap();
    assert_eq!(jail.cpus().unwrap(), last);
    nix::unistd::write(&go, &[0]).unwrap();
    assert_eq!(inside.line(), last.to_string(), "also for what was there before");
    inside.end();
    let later = sys::run(*jail, |output| write!(output, "{}", own_cpus()).unwrap());
    assert_eq!(later, last.to_string());

    jail.set_cpus(&all).unwrap();
    let later = sys::run(*jail, |output| write!(output, "{}", own_cpus()).unwrap());
    assert_eq!(later, all.to_string());
}

fn processors_that_are_not_there() {
    let jail = jail(Params::new());
    let all = jail.cpus().unwrap();
    let none = CpuSet::new([all.iter().last().unwrap() + 1]).unwrap();
    assert!(jail.set_cpus(&none).unwrap_err().errno().is_some());
    assert_eq!(jail.cpus().unwrap(), all);
}

fn what_a_jail_uses_is_told() {
    let jail = jail(Params::new());
    let before = jail.usage().unwrap();
    assert_eq!((before.processes, before.memory, before.cpu_time), (0, 0, Duration::ZERO));
    let mut inside = sys::start(*jail, |output| {
        sys::use_memory(32 << 20).unwrap();
        sys::fork_sleeper();
        sys::burn(Duration::from_millis(300));
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever();
    });
    assert_eq!(inside.line(), "ready");
    let usage = jail.usage().unwrap();
    assert_eq!((usage.processes, usage.threads), (2, 2));
    assert!(usage.memory > 32 << 20, "{usage:?}");
    assert!(usage.cpu_time >= Duration::from_millis(250), "{usage:?}");
    assert!(usage.cpu_time >= usage.user_time + usage.system_time, "{usage:?}");
    if cfg!(target_os = "freebsd") {
        assert_eq!(usage.accounted[&Resource::MaxProc], 2, "{usage:?}");
    }
    let infos = jail.process_infos().unwrap();
    let of = |pid| infos.iter().find(|info| info.id.pid() == pid).unwrap();
    let parent = of(inside.pid);
    assert!(!parent.stopped && parent.memory > 32 << 20 && parent.uid == 0, "{parent:?}");
    assert!(parent.command.contains("jails"), "{parent:?}");
    assert!(infos.iter().any(|info| info.parent == inside.pid));

    jail.signal_all(runj_jail::Signal::STOP).unwrap();
    let deadline = std::time::Instant::now() + SOON;
    while !jail.process_infos().unwrap().iter().all(|info| info.stopped) {
        assert!(std::time::Instant::now() < deadline, "they do not stop");
        std::thread::yield_now();
    }
    jail.remove().unwrap();
    inside.end();
}
