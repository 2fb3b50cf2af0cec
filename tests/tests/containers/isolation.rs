//! What a container cannot see, and cannot change.

use std::fs;
use std::process::{Child, Command};

use nix::unistd::gethostname;
use runj_tests::{Bundle, Sandbox};
use serde_json::json;

use crate::case::cases;

cases![
    a_host_name_of_its_own,
    a_host_name_set_inside_stays_inside,
    the_host_s_processes_are_out_of_reach,
    other_containers_are_out_of_reach,
    the_host_s_files_are_out_of_reach,
];

fn a_host_name_of_its_own(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().probe(["report"]);
    let named = bundle.set("hostname", "jailed").set("domainname", "example.org");
    let report = sandbox.run(&named).json();
    assert_eq!(report["hostname"], "jailed");
    assert_eq!(report["domainname"], "example.org");
    assert_ne!(gethostname().unwrap(), "jailed");
}

fn a_host_name_set_inside_stays_inside(sandbox: &Sandbox<'_>) {
    let before = gethostname().unwrap();
    let container = sandbox.start(&sandbox.bundle().set("hostname", "first"));
    let command = Bundle::probe_command(["set-hostname", "second"]);
    let changed = container.exec([], command).run().json();
    assert_eq!(changed, json!({ "hostname": "second" }));
    assert_eq!(gethostname().unwrap(), before);
    // It is the container's: the next one inside sees it.
    let report = container.exec([], Bundle::probe_command(["report"])).run().json();
    assert_eq!(report["hostname"], "second");
}

/// Nobody inside finds the process of that number.
#[track_caller]
fn assert_out_of_reach(sandbox: &Sandbox<'_>, pid: u32) {
    let pid = pid.to_string();
    let said = sandbox.run(&sandbox.bundle().probe(["signal", &pid])).json();
    assert_eq!(said, json!({ "errno": "ESRCH" }));
}

/// A process of the host.
struct Bystander(Child);

impl Drop for Bystander {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn the_host_s_processes_are_out_of_reach(sandbox: &Sandbox<'_>) {
    let bystander = Bystander(Command::new("sleep").arg("1000").spawn().unwrap());
    assert_out_of_reach(sandbox, bystander.0.id());

    // Nor are they listed.
    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/proc", "type": "procfs" }))
        .shell("cd /proc; echo [0-9]*");
    let listed = sandbox.run(&bundle).succeeded();
    let listed: Vec<u32> = listed.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert!(!listed.is_empty());
    assert!(!listed.contains(&std::process::id()), "{listed:?}");
}

fn other_containers_are_out_of_reach(sandbox: &Sandbox<'_>) {
    let other = sandbox.start(&sandbox.bundle());
    assert_out_of_reach(sandbox, other.pid().try_into().unwrap());
}

fn the_host_s_files_are_out_of_reach(sandbox: &Sandbox<'_>) {
    let secret = sandbox.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let bundle = sandbox.bundle();
    std::os::unix::fs::symlink(&secret, bundle.rootfs().join("link")).unwrap();
    let climb = "../".repeat(40);
    let path = secret.display();
    let line = format!("for f in {path} /link {climb}{path} /proc/1/root{path}; do cat $f; done");
    let outcome = sandbox.run(&bundle.shell(&line));
    assert_eq!(outcome.stdout(), "");
    assert_eq!(outcome.stderr().lines().count(), 4, "{}", outcome.stderr());
}
