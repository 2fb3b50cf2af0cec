//! What is done.

use std::fs;

use runj_tests::{Invocation, Step};

use crate::site::{Kind, Site};

/// One call of `runj`, and what has to be there before.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) prepare: fn(&Site<'_>),
    pub(crate) call: fn(&Site<'_>) -> Invocation,
    /// Left alone, it succeeds.
    pub(crate) succeeds: bool,
    /// Scenarios whose steps are tried already.
    pub(crate) beyond: &'static [&'static str],
    /// What there has to be when the call was refused something.
    pub(crate) refused: fn(&Site<'_>),
}

impl Scenario {
    pub(crate) const ALL: &[Self] = &[
        Self {
            name: "create",
            kind: Kind::Rich,
            prepare: nothing,
            call: |site| site.create(),
            succeeds: true,
            beyond: &[],
            refused: no_container,
        },
        Self {
            name: "create_with_interfaces",
            kind: Kind::Vnet,
            prepare: nothing,
            call: |site| site.create(),
            succeeds: true,
            beyond: &["create"],
            refused: no_container,
        },
        Self {
            name: "create_that_fails",
            kind: Kind::Failing,
            prepare: nothing,
            call: |site| site.create(),
            succeeds: false,
            beyond: &["create"],
            refused: anything,
        },
        Self {
            name: "create_with_a_terminal",
            kind: Kind::Terminal,
            prepare: nothing,
            call: |site| site.create(),
            succeeds: true,
            beyond: &["create"],
            refused: no_container,
        },
        Self {
            name: "run",
            kind: Kind::Rich,
            prepare: nothing,
            call: run,
            succeeds: true,
            beyond: &["create"],
            refused: anything,
        },
        Self {
            name: "run_with_interfaces",
            kind: Kind::Vnet,
            prepare: nothing,
            call: run,
            succeeds: true,
            beyond: &["create", "run"],
            refused: anything,
        },
        Self {
            name: "start",
            kind: Kind::Rich,
            prepare: created,
            call: |site| site.runj("start", &[]),
            succeeds: true,
            beyond: &[],
            refused: |site| {
                if site.status().as_deref() == Some("created") {
                    site.runj("start", &[]).run().succeeded_silently();
                }
            },
        },
        Self {
            name: "exec",
            kind: Kind::Rich,
            prepare: started,
            call: |site| {
                let pid_file = site.pid_file();
                let flags = ["--detach", "--pid-file", pid_file.to_str().unwrap()];
                site.runj("exec", &flags).args(["sleep", "1000"])
            },
            succeeds: true,
            beyond: &[],
            refused: |site| {
                assert_eq!(site.status().as_deref(), Some("running"));
                assert_eq!(site.processes(), 1, "the process is there all the same");
                site.runj("exec", &[]).args(["true"]).run().succeeded_silently();
            },
        },
        Self {
            name: "kill",
            kind: Kind::Rich,
            prepare: started,
            call: |site| site.runj("kill", &[]).args(["KILL"]),
            succeeds: true,
            beyond: &[],
            refused: running,
        },
        Self {
            name: "kill_all",
            kind: Kind::Rich,
            prepare: started,
            call: |site| site.runj("kill", &["--all"]).args(["KILL"]),
            succeeds: true,
            beyond: &["kill"],
            refused: anything,
        },
        Self {
            name: "pause",
            kind: Kind::Rich,
            prepare: |site| {
                started(site);
                // The container's own process is stopped by itself.
                let exec = site.runj("exec", &["--detach"]).args(["sleep", "1000"]);
                exec.run().succeeded_silently();
            },
            call: |site| site.runj("pause", &[]),
            succeeds: true,
            beyond: &[],
            refused: running_or_resumed,
        },
        Self {
            name: "resume",
            kind: Kind::Rich,
            prepare: paused,
            call: |site| site.runj("resume", &[]),
            succeeds: true,
            beyond: &[],
            refused: running_or_resumed,
        },
        Self {
            name: "update",
            kind: Kind::Rich,
            prepare: |site| {
                started(site);
                fs::copy(config(site), site.sandbox.path().join("output/config")).unwrap();
            },
            call: |site| site.runj("update", &["--pids-limit", "900", "--memory", "1g"]),
            succeeds: true,
            beyond: &[],
            refused: |site| {
                let before = fs::read(site.sandbox.path().join("output/config")).unwrap();
                assert_eq!(fs::read(config(site)).unwrap(), before);
                running(site);
            },
        },
        Self {
            name: "events",
            kind: Kind::Rich,
            prepare: started,
            call: |site| site.runj("events", &["--stats"]),
            succeeds: true,
            beyond: &[],
            refused: running,
        },
        Self {
            name: "ps",
            kind: Kind::Rich,
            prepare: started,
            call: |site| site.runj("ps", &[]),
            succeeds: true,
            beyond: &[],
            refused: running,
        },
        Self {
            name: "delete",
            kind: Kind::Rich,
            prepare: |site| {
                started(site);
                site.runj("kill", &[]).args(["KILL"]).run().succeeded_silently();
                runj_tests::eventually("its end", || {
                    (site.status().as_deref() == Some("stopped")).then_some(())
                });
            },
            call: |site| site.runj("delete", &[]),
            succeeds: true,
            beyond: &[],
            refused: anything,
        },
        Self {
            name: "delete_by_force",
            kind: Kind::Rich,
            prepare: started,
            call: |site| site.runj("delete", &["--force"]),
            succeeds: true,
            beyond: &["delete"],
            refused: anything,
        },
        Self {
            name: "delete_with_interfaces",
            kind: Kind::Vnet,
            prepare: started,
            call: |site| site.runj("delete", &["--force"]),
            succeeds: true,
            beyond: &["delete_by_force"],
            refused: anything,
        },
        Self {
            name: "delete_while_a_hook_runs",
            kind: Kind::Lingering,
            prepare: |site| {
                let failpoints = Step::first("hook-wait").failpoints("kill");
                site.create().env("FAILPOINTS", failpoints).run();
            },
            call: |site| site.runj("delete", &["--force"]),
            succeeds: true,
            beyond: &["delete_by_force"],
            refused: anything,
        },
        Self {
            name: "delete_beside_another",
            kind: Kind::Shared,
            prepare: |site| {
                created(site);
                let create = site.sandbox.runj(["create", "--bundle"]);
                create.args([site.bundle.dir()]).args([site.other()]).run().succeeded_silently();
            },
            call: |site| site.runj("delete", &["--force"]),
            succeeds: true,
            beyond: &["delete_by_force"],
            refused: anything,
        },
        Self {
            name: "delete_of_what_has_mounted",
            kind: Kind::Mounting,
            prepare: |site| {
                started(site);
                let mount = ["mount", "-t", "tmpfs", "tmpfs", "/own"];
                site.runj("exec", &[]).args(mount).run().succeeded_silently();
            },
            call: |site| site.runj("delete", &["--force"]),
            succeeds: true,
            beyond: &["delete_by_force"],
            refused: anything,
        },
        Self {
            name: "delete_of_hardly_anything",
            kind: Kind::Rich,
            prepare: |site| fs::create_dir(site.sandbox.state_dir().join(&site.id)).unwrap(),
            call: |site| site.runj("delete", &["--force"]),
            succeeds: true,
            beyond: &[],
            refused: anything,
        },
    ];

    pub(crate) fn named(name: &str) -> &'static Self {
        Self::ALL.iter().find(|scenario| scenario.name == name).expect("a scenario")
    }
}

fn run(site: &Site<'_>) -> Invocation {
    let bundle = site.bundle.dir().to_str().unwrap();
    site.runj("run", &["--detach", "--bundle", bundle])
}

fn nothing(_: &Site<'_>) {}

fn anything(site: &Site<'_>) {
    site.status();
}

fn no_container(site: &Site<'_>) {
    assert_eq!(site.status(), None);
}

#[track_caller]
fn running(site: &Site<'_>) {
    assert_eq!(site.status().as_deref(), Some("running"));
}

fn running_or_resumed(site: &Site<'_>) {
    if site.status().as_deref() == Some("paused") {
        site.runj("resume", &[]).run().succeeded_silently();
    }
    running(site);
}

fn created(site: &Site<'_>) {
    site.create().run().succeeded_silently();
}

fn started(site: &Site<'_>) {
    created(site);
    site.runj("start", &[]).run().succeeded_silently();
}

fn paused(site: &Site<'_>) {
    started(site);
    site.runj("pause", &[]).run().succeeded_silently();
}

/// The container's copy of its configuration.
fn config(site: &Site<'_>) -> std::path::PathBuf {
    site.sandbox.state_dir().join(&site.id).join("config.json")
}
