//! What containers may use: that it holds, that it can be changed, and that nothing of it is left.

use std::fs;
use std::process::Command;

use runj_jail::{CpuSet, Jail, Limits, Rule};
use runj_tests::{Bundle, Container, Sandbox, eventually};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    no_more_processes_than_allowed: Limits,
    a_limit_holds_for_exec: Limits,
    rctl_rules_are_the_kernels: Limits,
    memory_beyond_the_limit_is_not_to_be_had: Limits,
    a_share_of_the_processors: Limits,
    processors_are_seen_from_inside: Limits,
    nothing_is_left_of_rules: Limits,
    nothing_is_left_when_a_rule_is_refused: Limits,
    limits_are_changed: Limits,
    limits_are_read_from_files: Limits,
    an_update_that_fails_changes_nothing: Limits,
    an_update_that_cannot_be_kept_changes_nothing: Limits,
    anothers_rule_is_not_replaced: Limits,
    an_update_before_the_start: Limits,
    what_is_no_limit: Nothing,
    what_update_refuses,
    a_limit_that_cannot_be_enforced: NoLimits,
];

/// The rules of a jail, sorted.
fn rules(jail: &str) -> Vec<String> {
    let rules = Limits::of(jail).unwrap().rules().unwrap();
    let mut rules: Vec<_> = rules.iter().map(Rule::to_string).collect();
    rules.sort();
    rules
}

fn update(sandbox: &Sandbox<'_>, container: &Container<'_>, flags: &[&str]) {
    let update = sandbox.runj(["update"]).args(flags).args([container.id()]);
    update.run().succeeded_silently();
}

fn pids(bundle: Bundle, limit: i64) -> Bundle {
    bundle.set("linux.resources.pids.limit", limit)
}

fn no_more_processes_than_allowed(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&pids(sandbox.bundle().probe(["children"]), 8));
    // The probe itself is one; on Linux so is each thread, and it has one.
    assert_eq!(container.wait_line(0), json!({ "children": 7, "errno": "EAGAIN" }));
    assert_eq!(rules(container.id()), ["maxproc:deny=8"]);
    // Others are not concerned.
    let other = sandbox.start(&sandbox.bundle().probe(["children"]));
    assert_eq!(other.wait_line(0), json!({ "children": 200 }));
}

fn a_limit_holds_for_exec(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&pids(sandbox.bundle(), 8));
    assert_eq!(container.wait_line(0)["ready"], true);
    let exec = container.exec(["--detach"], Bundle::probe_command(["children"])).run();
    exec.succeeded();
    let line = eventually("the answer", || serde_json::from_str::<Value>(&exec.stdout()).ok());
    assert_eq!(line, json!({ "children": 6, "errno": "EAGAIN" }));
}

fn rctl_rules_are_the_kernels(sandbox: &Sandbox<'_>) {
    let bundle = pids(sandbox.bundle(), 50)
        .set("linux.resources.memory.limit", 1 << 30)
        .set("freebsd.rctl", json!(["maxproc:deny=40", "pcpu:deny=300"]))
        .extension(json!({ "rctl": ["maxproc:deny=30"] }));
    let container = sandbox.create(&bundle);
    let expected = ["maxproc:deny=30", "memoryuse:deny=1073741824", "pcpu:deny=300"];
    assert_eq!(rules(container.id()), expected);

    let bundle = sandbox.bundle().extension(json!({ "rctl": ["openfiles:deny=64/process"] }));
    if cfg!(target_os = "freebsd") {
        let container = sandbox.create(&bundle);
        assert_eq!(rules(container.id()), ["openfiles:deny=64/process"]);
    } else {
        // Nothing is dropped without a word.
        let message = sandbox.refused(&bundle);
        assert!(message.starts_with("runj.ext.json: rctl[0]: development host: "), "{message}");
        assert!(message.contains("openfiles:deny=64/process cannot be emulated"), "{message}");
    }
}

fn memory_beyond_the_limit_is_not_to_be_had(sandbox: &Sandbox<'_>) {
    let probe = |bytes: u64| sandbox.bundle().probe(["memory", &bytes.to_string()]);
    let limited = |bundle: Bundle| {
        bundle
            .set("linux.resources.memory.limit", 64 << 20)
            .set("linux.resources.memory.swap", 64 << 20)
    };
    let enough = sandbox.run(&limited(probe(16 << 20))).json();
    assert_eq!(enough, json!({ "pages": 4096 }));
    let outcome = sandbox.run(&limited(probe(256 << 20)));
    if cfg!(target_os = "freebsd") {
        assert_eq!(outcome.json(), json!({ "errno": "ENOMEM" }));
    } else {
        // It is killed.
        assert_eq!((outcome.code(), outcome.stdout()), (128 + 9, String::new()));
    }
    assert_eq!(sandbox.run(&probe(256 << 20)).json(), json!({ "pages": 65536 }));
}

fn a_share_of_the_processors(sandbox: &Sandbox<'_>) {
    let share = |bundle: &Bundle| sandbox.run(bundle).json()["share"].as_f64().unwrap();
    let bundle = sandbox.bundle().probe(["burn", "6"]);
    let limited = sandbox
        .bundle()
        .probe(["burn", "6"])
        .set("linux.resources.cpu", json!({ "quota": 5_000, "period": 100_000 }));
    // FreeBSD sees that a share is used up after the fact, and so gives more, such as 33 percent
    // instead of 20. How much there is without the limit depends on what else the host does: beside
    // a fork bomb of another case that can be less than what the limit allows, for a while.
    let mut shares = Vec::new();
    let holds = (0..5).any(|_| {
        let (free, limited) = (share(&bundle), share(&limited));
        shares.push((free, limited));
        limited < 30.0 && limited < free
    });
    assert!(holds, "percent without the limit and with it, one after the other: {shares:?}");
}

fn processors_are_seen_from_inside(sandbox: &Sandbox<'_>) {
    let all = sandbox.run(&sandbox.bundle().probe(["cpus"])).json();
    let last = all["cpus"].as_array().unwrap().last().unwrap().clone();
    let bundle = sandbox.bundle().set("linux.resources.cpu.cpus", last.to_string());
    assert_eq!(sandbox.run(&bundle.probe(["cpus"])).json(), json!({ "cpus": [last] }));

    let bundle = sandbox.bundle().set("linux.resources.cpu.cpus", "1023");
    let message = sandbox.refused(&bundle);
    assert!(message.starts_with("config.json: linux.resources.cpu.cpus: "), "{message}");
}

fn nothing_is_left_of_rules(sandbox: &Sandbox<'_>) {
    let bundle = pids(sandbox.bundle(), 50).set("linux.resources.memory.limit", 1 << 30);
    let stopped = sandbox.start(&bundle);
    update(sandbox, &stopped, &["--pids-limit", "60", "--cpu-quota", "100000"]);
    assert_eq!(rules(stopped.id()).len(), 3);
    stopped.end();
    let running = sandbox.start(&bundle);
    running.delete_by_force();
    for container in [stopped, running] {
        assert_eq!(rules(container.id()), [""; 0]);
    }
    // A create that fails later on.
    let id = sandbox.id();
    let hook = bundle.script("fails", "exit 1");
    let bundle = bundle.set("hooks.prestart", json!([{ "path": hook }]));
    sandbox.try_create(&id, &bundle).refused();
    assert_eq!(rules(&id), [""; 0]);
    assert!(Jail::find(&id.parse().unwrap()).unwrap().is_none());
}

fn nothing_is_left_when_a_rule_is_refused(sandbox: &Sandbox<'_>) {
    // Neither kernel lets a jail have all of these.
    let refused = "pcpu:deny=9223372036854";
    let rules_of = |rule: &str| json!({ "rctl": ["maxproc:deny=50", rule] });
    let bundle = sandbox.bundle().extension(rules_of("memory:deny=1"));
    let before = sandbox.host();
    let id = sandbox.id();
    let message = sandbox.try_create(&id, &bundle).refused();
    let expected = "runj.ext.json: rctl[1]: \"memory:deny=1\" is not allowed: \"memory\" is not a \
                    resource: expected one of cputime, ";
    assert!(message.starts_with(expected), "{message}");
    sandbox.host().assert_unchanged_since(&before);
    if cfg!(target_os = "linux") {
        let bundle = bundle.extension(rules_of(refused));
        let before = sandbox.host();
        let message = sandbox.try_create(&id, &bundle).refused();
        assert!(message.starts_with("runj.ext.json: rctl[1]: "), "{message}");
        assert_eq!(rules(&id), [""; 0]);
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn limits_are_changed(sandbox: &Sandbox<'_>) {
    let bundle = pids(sandbox.bundle(), 50).extension(json!({ "rctl": ["memoryuse:deny=512m"] }));
    let container = sandbox.start(&bundle);
    assert_eq!(rules(container.id()), ["maxproc:deny=50", "memoryuse:deny=536870912"]);

    update(sandbox, &container, &["--pids-limit", "7", "--cpu-quota", "50000"]);
    let expected = ["maxproc:deny=7", "memoryuse:deny=536870912", "pcpu:deny=50"];
    assert_eq!(rules(container.id()), expected);
    // It holds at once: the container's own process and this one are two.
    let exec = container.exec(["--detach"], Bundle::probe_command(["children"])).run();
    let line = eventually("the answer", || serde_json::from_str::<Value>(&exec.stdout()).ok());
    assert_eq!(line, json!({ "children": 5, "errno": "EAGAIN" }));

    // Of what belongs together the rest is remembered.
    update(sandbox, &container, &["--cpu-period", "25000"]);
    assert!(rules(container.id()).contains(&"pcpu:deny=200".to_owned()));
    // The rule is another's word.
    update(sandbox, &container, &["--memory", "1g", "--pids-limit", "-1", "--cpu-quota", "-1"]);
    assert_eq!(rules(container.id()), ["memoryuse:deny=536870912"]);

    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().unwrap();
    let last = jail.cpus().unwrap().iter().last().unwrap();
    update(sandbox, &container, &["--cpuset-cpus", &last.to_string()]);
    assert_eq!(Some(jail.cpus().unwrap()), CpuSet::new([last]));
}

fn limits_are_read_from_files(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let file = sandbox.path().join("resources.json");
    let resources = json!({ "pids": { "limit": 9 }, "memory": { "swap": 1 << 30 } });
    fs::write(&file, resources.to_string()).unwrap();
    let expected = ["maxproc:deny=9", "swapuse:deny=1073741824"];
    update(sandbox, &container, &["--resources", file.to_str().unwrap()]);
    assert_eq!(rules(container.id()), expected);
    let input = fs::File::open(&file).unwrap();
    sandbox.runj(["update", "-r", "-", container.id()]).stdin(input).run().succeeded_silently();
    assert_eq!(rules(container.id()), expected);
}

fn an_update_that_fails_changes_nothing(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&pids(sandbox.bundle(), 50));
    let refused = |flags: &[&str]| {
        let message = sandbox.runj(["update"]).args(flags).args([container.id()]).run().refused();
        assert_eq!(rules(container.id()), ["maxproc:deny=50"], "{message}");
        message
    };
    let message = refused(&["--pids-limit", "9", "--cpuset-cpus", "1023"]);
    assert!(message.starts_with("update: cpu.cpus: "), "{message}");
    refused(&["--pids-limit", "9", "--cpuset-cpus", "all"]);
    refused(&["--pids-limit", "9", "--memory", "2g", "--memory-swap", "1g"]);
    // What was tried is not remembered either.
    update(sandbox, &container, &["--cpu-quota", "100000"]);
    assert_eq!(rules(container.id()), ["maxproc:deny=50", "pcpu:deny=100"]);
}

fn an_update_that_cannot_be_kept_changes_nothing(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().unwrap();
    let before = jail.cpus().unwrap();
    let last = before.iter().last().unwrap().to_string();
    // As on a full disk, no file can be written.
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", r#"trap '' XFSZ; ulimit -f 0; exec "$@""#, "sh"]);
    limited.arg(sandbox.runj_program()).arg("--root").arg(sandbox.state_dir());
    let output = limited.args(["update", "--cpuset-cpus", &last, container.id()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("config.json"), "{output:?}");
    assert_eq!(jail.cpus().unwrap(), before);
    update(sandbox, &container, &["--cpuset-cpus", &last]);
    assert_eq!(jail.cpus().unwrap().to_string(), last);
}

fn anothers_rule_is_not_replaced(sandbox: &Sandbox<'_>) {
    let id = sandbox.id();
    let limits = Limits::of(&id).unwrap();
    let own: Rule = "maxproc:deny=50".parse().unwrap();
    let expected =
        format!(": there is the rule jail:{id}:maxproc:deny=50, which runj has not added");
    // Only FreeBSD has rules for a jail that is not there yet.
    if cfg!(target_os = "freebsd") {
        limits.add(&own).unwrap();
        for limit in [50, 60] {
            let message = sandbox.try_create(&id, &pids(sandbox.bundle(), limit)).refused();
            assert!(message.starts_with("config.json: linux.resources.pids.limit: "), "{message}");
            assert!(message.contains(&expected), "{message}");
            assert_eq!(rules(&id), ["maxproc:deny=50"]);
        }
    }
    let container = sandbox.create_as(&id, &sandbox.bundle());
    limits.add(&own).unwrap();
    for limit in ["50", "60"] {
        let message = sandbox.runj(["update", "--pids-limit", limit, &id]).run().refused();
        assert!(message.starts_with("update: pids.limit: "), "{message}");
        assert!(message.contains(&expected), "{message}");
    }
    // What an engine asks for by itself gives way.
    let default = sandbox.runj(["update", "--pids-limit", "2048", &id]).run();
    default.succeeded();
    assert_eq!(rules(&id), ["maxproc:deny=50"]);
    // Other resources are another matter.
    update(sandbox, &container, &["--memory", "1g"]);
    assert_eq!(rules(&id), ["maxproc:deny=50", "memoryuse:deny=1073741824"]);
    sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
    if cfg!(target_os = "freebsd") {
        assert_eq!(rules(&id), ["maxproc:deny=50"]);
        assert!(limits.remove(&own).unwrap());
    }
}

fn an_update_before_the_start(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&sandbox.bundle().probe(["children"]));
    update(sandbox, &container, &["--pids-limit", "5"]);
    container.start();
    assert_eq!(container.wait_line(0), json!({ "children": 4, "errno": "EAGAIN" }));
}

fn what_is_no_limit(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("linux.resources.memory.limit", "1g")
        .set("linux.resources.cpu.quota", -2)
        .set("freebsd.rctl", json!(["maxproc", "maxproc:deny=1", "maxproc:deny=1"]));
    let message = sandbox.try_create("any", &bundle).refused();
    for expected in [
        "config.json: linux.resources.memory.limit: \"1g\" is not allowed: expected an integer",
        "config.json: linux.resources.cpu.quota: -2 is not allowed: expected an integer from 1 to",
        "config.json: freebsd.rctl[0]: \"maxproc\" is not allowed: expected a rule of rctl(8)",
        "config.json: freebsd.rctl[2]: \"maxproc:deny=1\" is not allowed: expected no duplicate",
    ] {
        assert!(message.contains(expected), "{expected:?} is not in {message}");
    }
}

fn what_update_refuses(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    for wrong in [
        &[][..],
        &["--memory", "much"],
        &["--memory", "-2"],
        &["--pids-limit", "1.5"],
        &["--resources", "/no/such/file"],
        &["--resources", "-", "--memory", "1g"],
        &["--resources", "-"],
    ] {
        sandbox.runj(["update"]).args(wrong).args([container.id()]).run().refused();
    }
    container.kill("KILL");
    container.wait_stopped();
    let update = sandbox.runj(["update", "--pids-limit", "1", container.id()]).run();
    let expected = format!("container not running: {} is stopped", container.id());
    assert_eq!(update.refused(), expected);
}

fn a_limit_that_cannot_be_enforced(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    for (place, amount) in [("memory.limit", 1 << 30), ("pids.limit", 2047), ("cpu.quota", 7)] {
        let bundle = sandbox.bundle().set(&format!("linux.resources.{place}"), amount);
        let message = sandbox.refused(&bundle);
        assert!(
            message.starts_with(&format!("config.json: linux.resources.{place}: ")),
            "{message}"
        );
        if cfg!(target_os = "freebsd") {
            assert!(message.contains("kern.racct.enable"), "{message}");
        }
    }
    // What podman sends for every container is none that anybody has asked for.
    let container = sandbox.start(&pids(bundle, 2048));
    container.end();
}
