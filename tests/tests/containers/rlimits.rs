//! What the process may use.

use runj_tests::Sandbox;
use serde_json::{Value, json};

use crate::case::cases;

cases![
    each_limit_by_its_name,
    two_names_of_one_limit,
    a_limit_that_this_host_lacks,
    a_limit_that_the_kernel_would_bend,
    no_limit_at_all,
    hardly_any_descriptor,
    exec_has_limits_of_its_own,
];

/// Limits that the probe can live with; each is to be known by its name (getrlimit(2)).
#[cfg(target_os = "freebsd")]
const LIMITS: &[(&str, u64)] = &[
    ("RLIMIT_AS", 1 << 33),
    ("RLIMIT_CORE", 1 << 20),
    ("RLIMIT_CPU", 1000),
    ("RLIMIT_DATA", 1 << 32),
    ("RLIMIT_FSIZE", 1 << 30),
    ("RLIMIT_KQUEUES", 50),
    ("RLIMIT_MEMLOCK", 1 << 26),
    ("RLIMIT_NOFILE", 200),
    ("RLIMIT_NPROC", 500),
    ("RLIMIT_NPTS", 10),
    ("RLIMIT_RSS", 1 << 32),
    ("RLIMIT_SBSIZE", 1 << 26),
    ("RLIMIT_STACK", 1 << 23),
    ("RLIMIT_SWAP", 1 << 32),
    ("RLIMIT_UMTXP", 1000),
];

/// Limits that the probe can live with; each is to be known by its name (getrlimit(2)).
#[cfg(target_os = "linux")]
const LIMITS: &[(&str, u64)] = &[
    ("RLIMIT_AS", 1 << 33),
    ("RLIMIT_CORE", 1 << 20),
    ("RLIMIT_CPU", 1000),
    ("RLIMIT_DATA", 1 << 32),
    ("RLIMIT_FSIZE", 1 << 30),
    ("RLIMIT_LOCKS", 100),
    ("RLIMIT_MEMLOCK", 1 << 20),
    ("RLIMIT_MSGQUEUE", 100_000),
    ("RLIMIT_NICE", 0),
    ("RLIMIT_NOFILE", 200),
    ("RLIMIT_NPROC", 500),
    ("RLIMIT_RSS", 1 << 32),
    ("RLIMIT_RTPRIO", 0),
    ("RLIMIT_RTTIME", 1_000_000),
    ("RLIMIT_SIGPENDING", 1000),
    ("RLIMIT_STACK", 1 << 23),
];

/// Two names of one limit.
#[cfg(target_os = "freebsd")]
const SAME: (&str, &str) = ("RLIMIT_AS", "RLIMIT_VMEM");
#[cfg(target_os = "linux")]
const SAME: (&str, &str) = ("RLIMIT_AS", "RLIMIT_AS");

#[track_caller]
fn limits(sandbox: &Sandbox<'_>, limits: &Value) -> Value {
    let bundle = sandbox.bundle().probe(["report"]).set("process.rlimits", limits.clone());
    sandbox.run(&bundle).json()["rlimits"].clone()
}

#[track_caller]
fn refused(sandbox: &Sandbox<'_>, limits: Value) -> String {
    let bundle = sandbox.bundle().set("process.rlimits", limits);
    sandbox.refused(&bundle)
}

fn each_limit_by_its_name(sandbox: &Sandbox<'_>) {
    let all: Vec<_> = LIMITS
        .iter()
        .map(|(name, value)| json!({ "type": name, "soft": value / 2, "hard": value }))
        .collect();
    let seen = limits(sandbox, &all.into());
    for (name, value) in LIMITS {
        assert_eq!(seen[name], json!([value / 2, value]), "{name}");
    }
}

fn two_names_of_one_limit(sandbox: &Sandbox<'_>) {
    let (one, other) = SAME;
    let value = 1u64 << 33;
    let seen = limits(sandbox, &json!([{ "type": other, "soft": value, "hard": value }]));
    assert_eq!(seen[one], json!([value, value]));
    let message = refused(
        sandbox,
        json!([
            { "type": one, "soft": value, "hard": value },
            { "type": other, "soft": value, "hard": value },
        ]),
    );
    let place = format!("config.json: process.rlimits[1].type: \"{other}\" is not allowed");
    assert!(message.starts_with(&place), "{message}");
}

fn a_limit_that_this_host_lacks(sandbox: &Sandbox<'_>) {
    for name in ["RLIMIT_NO_SUCH", "nofile", "NOFILE"] {
        let message = refused(sandbox, json!([{ "type": name, "soft": 1, "hard": 1 }]));
        let place = format!("config.json: process.rlimits[0].type: \"{name}\" is not allowed");
        assert!(message.starts_with(&place), "{message}");
        assert!(message.contains("RLIMIT_NOFILE"), "it says which there are: {message}");
    }
}

fn a_limit_that_the_kernel_would_bend(sandbox: &Sandbox<'_>) {
    // More files than any host has. FreeBSD would take it for what it has itself.
    let many = 1u64 << 40;
    let message = refused(
        sandbox,
        json!([
            { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
            { "type": "RLIMIT_NOFILE", "soft": many, "hard": many },
        ]),
    );
    assert!(message.starts_with("process.rlimits: RLIMIT_NOFILE, soft 1099511627776"), "{message}");
}

fn no_limit_at_all(sandbox: &Sandbox<'_>) {
    let unlimited = u64::MAX;
    let none = json!([{ "type": "RLIMIT_CPU", "soft": unlimited, "hard": unlimited }]);
    let infinity = nix::libc::RLIM_INFINITY;
    assert_eq!(limits(sandbox, &none)["RLIMIT_CPU"], json!([infinity, infinity]));
}

/// Less than runj has of its own by then.
fn hardly_any_descriptor(sandbox: &Sandbox<'_>) {
    // The dynamic linker takes one beside the three streams.
    let few = json!([{ "type": "RLIMIT_NOFILE", "soft": 4, "hard": 4 }]);
    let bundle = sandbox.bundle().args(["true"]).set("process.rlimits", few);
    sandbox.run(&bundle).succeeded_silently();
}

fn exec_has_limits_of_its_own(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let process = json!({
        "args": runj_tests::Bundle::probe_command(["report"]),
        "cwd": "/",
        "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 55, "hard": 66 }],
        "noNewPrivileges": true,
        "user": { "uid": 12, "gid": 34, "umask": 0o27, "additionalGids": [56] }
    });
    let file = sandbox.path().join("process.json");
    std::fs::write(&file, process.to_string()).unwrap();
    let exec = sandbox.runj(["exec", "--process"]).args([&file]).args([container.id()]);
    let report = exec.run().json();
    assert_eq!(report["rlimits"]["RLIMIT_NOFILE"], json!([55, 66]));
    assert_eq!(report["no_new_privileges"], true);
    assert_eq!(report["uid"], json!([12, 12]));
    assert_eq!(report["umask"], 0o27);
}
