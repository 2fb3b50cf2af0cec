//! Which devices a container sees: rule sets of devfs(8), the stock ones of /etc/defaults/devfs.rules.

use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    without_a_rule_set_it_is_that_of_jails: DeviceRules,
    a_rule_set_of_its_own: DeviceRules,
    the_rule_set_of_the_host: DeviceRules,
    what_the_container_mounts_shows_no_more: DeviceRules,
];

/// A bundle that says which of some devices are there.
fn showing(sandbox: &Sandbox<'_>, options: &Value) -> Bundle {
    let devfs = json!({ "destination": "/dev", "type": "devfs", "options": options });
    sandbox.bundle().mount(devfs).shell(LIST)
}

const LIST: &str = "cd /dev; for d in null zero fd mem klog; do test -e $d && echo $d; done; :";

#[track_caller]
fn shown(sandbox: &Sandbox<'_>, options: &Value) -> Vec<String> {
    let outcome = sandbox.run(&showing(sandbox, options));
    outcome.succeeded().split_whitespace().map(str::to_owned).collect()
}

fn without_a_rule_set_it_is_that_of_jails(sandbox: &Sandbox<'_>) {
    let devices = shown(sandbox, &json!([]));
    assert_eq!(devices, ["null", "zero", "fd"]);
    assert_eq!(shown(sandbox, &json!(["ruleset=4"])), devices);
}

fn a_rule_set_of_its_own(sandbox: &Sandbox<'_>) {
    // It hides all (devfsrules_hide_all).
    assert_eq!(shown(sandbox, &json!(["ruleset=1"])), [""; 0]);
}

fn the_rule_set_of_the_host(sandbox: &Sandbox<'_>) {
    let devices = shown(sandbox, &json!(["ruleset=0"]));
    assert!(devices.contains(&"mem".to_owned()), "{devices:?}");
    assert!(devices.contains(&"null".to_owned()), "{devices:?}");
}

fn what_the_container_mounts_shows_no_more(sandbox: &Sandbox<'_>) {
    let line = format!("mkdir -p /own && mount -t devfs devfs /own && cd /own && {LIST}");
    let bundle = showing(sandbox, &json!([]))
        .set("freebsd.jail.enforceStatfs", 1)
        .set("freebsd.jail.allow.mount", json!(["devfs"]))
        .shell(&line.replace("cd /dev; ", ""));
    let said = sandbox.run(&bundle).succeeded();
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["null", "zero", "fd"]);
}
