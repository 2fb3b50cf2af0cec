//! What happens to a call of `runj` at each of its steps.

use std::fs;
use std::thread;

use runj_faults::Point;
use runj_tests::{Sandbox, Step, eventually, read_trace};

use crate::scenario::Scenario;
use crate::site::{Site, succeeded};
use crate::trace;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordeal {
    /// It is killed. What it leaves, `delete --force` removes.
    Killed,
    /// The step fails. So does the verb, as a whole, or the step did not matter.
    Refused,
    /// It waits there while somebody deletes the container.
    Overtaken,
}

impl Ordeal {
    pub(crate) const ALL: &[Self] = &[Self::Killed, Self::Refused, Self::Overtaken];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Refused => "refused",
            Self::Overtaken => "overtaken",
        }
    }
}

/// Tells at which step a test has failed.
struct At<'a>(&'a Scenario, &'a Step, Ordeal);

impl Drop for At<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self(scenario, Step { point, count }, ordeal) = self;
            eprintln!("{} {} at {point} {count}", scenario.name, ordeal.name());
        }
    }
}

/// Does it at each step.
pub(crate) fn run(sandbox: &Sandbox<'_>, scenario: &Scenario, ordeal: Ordeal) {
    let mut steps = trace::of(sandbox, scenario);
    let site = Site::new(sandbox, scenario.kind);
    let before = site.host();
    if cfg!(target_os = "linux") && ordeal == Ordeal::Refused {
        // Not like FreeBSD, Linux does not bring an interface home when its jail goes: veth(4)
        // goes with the namespace.
        steps.retain(|step| step.point != Point::MoveHome.name());
    }
    if ordeal == Ordeal::Overtaken {
        // Who else is there does not depend on how often it has come by.
        steps.retain(|step| step.count == 1);
    }
    for step in &steps {
        let _at = At(scenario, step, ordeal);
        (scenario.prepare)(&site);
        match ordeal {
            Ordeal::Killed => killed(&site, scenario, step),
            Ordeal::Refused => {
                refused(&site, scenario, step);
                // Of one that fails by itself, undoing was refused something.
                let creates = scenario.name.starts_with("create") && scenario.succeeds;
                if creates && site.status().is_none() {
                    // A verb happens whole or not at all.
                    site.host().assert_unchanged_since(&before);
                }
            }
            Ordeal::Overtaken => overtaken(&site, scenario, step),
        }
        site.delete();
        site.host().assert_unchanged_since(&before);
    }
}

fn killed(site: &Site<'_>, scenario: &Scenario, step: &Step) {
    (scenario.call)(site).env("FAILPOINTS", step.failpoints("kill")).run();
    site.status();
}

fn refused(site: &Site<'_>, scenario: &Scenario, step: &Step) {
    let action = step.failpoints(&libc::EIO.to_string());
    let outcome = (scenario.call)(site).env("FAILPOINTS", action).run();
    if !succeeded(&outcome) {
        (scenario.refused)(site);
    }
}

fn overtaken(site: &Site<'_>, scenario: &Scenario, step: &Step) {
    let trace = site.sandbox.path().join("output/overtaken");
    let _ = fs::remove_file(&trace);
    let call = (scenario.call)(site)
        .env("FAILPOINTS", step.failpoints("delay 100"))
        .env("RUNJ_FAULTS_TRACE", &trace);
    let running = call.spawn();
    // What depends on the moment may not be come to this time.
    let there = || read_trace(&trace).contains(step) || running.has_ended();
    eventually("the step", || there().then_some(()));
    site.delete();
    succeeded(&running.wait());
}
