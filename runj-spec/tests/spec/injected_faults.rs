//! Every wrong value is reported, and nothing else is.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use proptest::sample::subsequence;
use runj_spec::{Bundle, Error};
use serde_json::{Value, json};

/// A bundle in which nothing is wrong.
fn right() -> [Value; 2] {
    let config = json!({
        "ociVersion": "1.3.0",
        "root": {"path": "rootfs", "readonly": true},
        "process": {
            "terminal": true,
            "consoleSize": {"height": 25, "width": 80},
            "user": {"uid": 1, "gid": 1, "umask": 18, "additionalGids": [5, 6]},
            "args": ["sh", "-c", "true"],
            "env": ["A=b", "C=d"],
            "cwd": "/",
            "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 1}],
            "noNewPrivileges": true
        },
        "hostname": "h",
        "domainname": "d",
        "mounts": [{"destination": "/dev", "type": "devfs", "source": "devfs", "options": ["ruleset=4"]}],
        "hooks": {"poststop": [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 1}]},
        "annotations": {"a": "b"},
        "freebsd": {
            "devices": [{"path": "pf", "mode": 448}],
            "jail": {
                "parent": "p", "host": "new", "ip4": "new", "ip4Addr": ["10.0.0.1"], "ip6": "new",
                "ip6Addr": ["::1"], "vnet": "inherit", "interface": "lo1", "vnetInterfaces": ["epair0b"],
                "sysvmsg": "new", "sysvsem": "new", "sysvshm": "new", "enforceStatfs": 1,
                "allow": {"setHostname": true, "rawSockets": true, "chflags": true, "mount": ["tmpfs"], "quotas": true,
                    "socketAf": true, "mlock": true, "reservedPorts": true, "suser": true, "sysvipc": true}
            },
            "network": {"ipv4": {"mode": "new", "addr": ["10.0.0.2"]}},
            "rctl": ["maxproc:deny=1"]
        },
        "linux": {"resources": {
            "memory": {"limit": 1, "swap": 2},
            "cpu": {"quota": 1, "period": 1, "cpus": "0"},
            "pids": {"limit": 1}
        }}
    });
    let extension = json!({"network": {
        "ipv4": {"mode": "new", "addr": ["10.0.0.3"]},
        "ipv6": {"mode": "new", "addr": ["::3"]},
        "vnet": {"mode": "new", "interfaces": ["epair1b"]}
    }, "rctl": ["maxproc:deny=2"]});
    [config, extension]
}

/// One wrong value: where, as a JSON pointer and as it is reported, and what.
#[derive(Debug, Clone)]
struct Fault {
    document: usize,
    pointer: String,
    origin: String,
    value: Value,
}

/// For every value of the bundle that is no object or list, and for every list, one of another
/// type.
fn faults() -> Vec<Fault> {
    fn visit(
        document: usize,
        value: &Value,
        pointer: String,
        path: String,
        faults: &mut Vec<Fault>,
    ) {
        let children: Vec<(String, String, &Value)> = match value {
            Value::Object(object) => object
                .iter()
                .map(|(key, value)| {
                    let dot = if path.is_empty() { "" } else { "." };
                    (format!("{pointer}/{key}"), format!("{path}{dot}{key}"), value)
                })
                .collect(),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    (format!("{pointer}/{index}"), format!("{path}[{index}]"), value)
                })
                .collect(),
            Value::Number(_) | Value::Bool(_) | Value::String(_) | Value::Null => {
                let file = ["config.json", "runj.ext.json"][document];
                let origin = format!("{file}: {path}");
                faults.push(Fault { document, pointer, origin, value: json!({"not": "right"}) });
                return;
            }
        };
        for (pointer, path, value) in children {
            visit(document, value, pointer, path, faults);
        }
    }
    let mut faults = Vec::new();
    for (document, value) in right().iter().enumerate() {
        visit(document, value, String::new(), String::new(), &mut faults);
    }
    // Whether a size is looked at hangs on this one.
    faults.retain(|fault| fault.pointer != "/process/terminal");
    faults
}

fn load(documents: &[Value; 2]) -> Result<Bundle, Error> {
    let dir = tempfile::tempdir().unwrap();
    for (name, document) in ["config.json", "runj.ext.json"].iter().zip(documents) {
        fs::write(dir.path().join(name), document.to_string()).unwrap();
    }
    Bundle::load(dir.path())
}

#[test]
fn the_bundle_is_right() {
    load(&right()).unwrap().container().unwrap();
    assert!(faults().len() > 60);
}

proptest! {
    #[test]
    fn all_of_them_are_reported(faults in subsequence(faults(), 1..=faults().len())) {
        let mut documents = right();
        for fault in &faults {
            *documents[fault.document].pointer_mut(&fault.pointer).unwrap() = fault.value.clone();
        }
        let Err(Error::Invalid(problems)) = load(&documents) else { panic!("values are wrong") };
        let reported: BTreeSet<_> = problems.iter().map(|problem| problem.origin().to_string()).collect();
        let injected: BTreeSet<_> = faults.iter().map(|fault| fault.origin.clone()).collect();
        prop_assert_eq!(&reported, &injected);
        prop_assert_eq!(problems.iter().count(), faults.len());

        let line = problems.to_string();
        prop_assert!(!line.contains('\n'));
        for problem in &problems {
            prop_assert!(line.contains(&problem.to_string()));
        }
    }
}
