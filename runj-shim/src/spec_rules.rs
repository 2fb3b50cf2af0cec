//! What of a configuration that was made for Linux has another meaning in a jail.
//!
//! containerd's clients give a container on Linux a set of mounts that Linux programs expect. On
//! FreeBSD they do not, but a specification may come from anywhere, and the development host is
//! Linux. So the rules go by what is asked for, not by the host:
//!
//! | in config.json | what becomes of it |
//! |---|---|
//! | `tmpfs` on `/dev` | a devfs, as a jail needs its devices, and behind it an fdescfs on `/dev/fd` unless there is one |
//! | `devpts` and `mqueue` anywhere, `tmpfs` named `shm` on `/dev/shm` | left out: devfs has the terminals, and neither queues nor shared memory take a mount |
//! | `sysfs`, `cgroup`, `cgroup2` anywhere | left out: FreeBSD has nothing like them |
//! | `proc` | a procfs at the same place |
//! | everything else | stays: `runj` mounts it, or says why it cannot |
//!
//! The `linux` section, capabilities and the like stay in the file; `runj` ignores them, as the
//! specification asks of a runtime.

use serde_json::{Value, json};

/// Applies the rules to a configuration.
pub(crate) fn apply(config: &mut Value) {
    let Some(mounts) = config.get_mut("mounts").and_then(Value::as_array_mut) else { return };
    mounts.retain(|mount| !is_left_out(mount));
    for mount in mounts.iter_mut() {
        if text(mount, "type") == "proc" {
            mount["type"] = "procfs".into();
        }
    }
    let Some(dev) = mounts.iter().position(is_tmpfs_on_dev) else { return };
    mounts[dev] = json!({ "destination": "/dev", "type": "devfs", "source": "devfs" });
    if !mounts.iter().any(|mount| destination(mount) == "/dev/fd") {
        let fd = json!({ "destination": "/dev/fd", "type": "fdescfs", "source": "fdescfs" });
        mounts.insert(dev + 1, fd);
    }
}

fn is_left_out(mount: &Value) -> bool {
    match text(mount, "type") {
        "devpts" | "mqueue" | "sysfs" | "cgroup" | "cgroup2" => true,
        "tmpfs" => destination(mount) == "/dev/shm" && text(mount, "source") == "shm",
        _ => false,
    }
}

fn is_tmpfs_on_dev(mount: &Value) -> bool {
    text(mount, "type") == "tmpfs" && destination(mount) == "/dev"
}

fn destination(mount: &Value) -> &str {
    let path = text(mount, "destination");
    if path.len() > 1 { path.trim_end_matches('/') } else { path }
}

fn text<'a>(mount: &'a Value, property: &str) -> &'a str {
    mount.get(property).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(mounts: Value) -> Value {
        let mut config = json!({ "ociVersion": "1.0.2", "mounts": mounts, "linux": {} });
        apply(&mut config);
        assert_eq!(config["linux"], json!({}));
        config["mounts"].take()
    }

    #[test]
    fn what_ctr_gives_a_linux_container_becomes_what_a_jail_has() {
        let mount = |destination: &str, typ: &str, source: &str| json!({ "destination": destination, "type": typ, "source": source });
        let options = json!(["nosuid", "strictatime", "mode=755", "size=65536k"]);
        let mut dev = mount("/dev", "tmpfs", "tmpfs");
        dev["options"] = options.clone();
        let mut run = mount("/run", "tmpfs", "tmpfs");
        run["options"] = options;
        let mounts = applied(json!([
            mount("/proc", "proc", "proc"),
            dev,
            mount("/dev/pts", "devpts", "devpts"),
            mount("/dev/shm", "tmpfs", "shm"),
            mount("/dev/mqueue", "mqueue", "mqueue"),
            mount("/sys", "sysfs", "sysfs"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup"),
            run.clone(),
        ]));
        let expected = json!([
            mount("/proc", "procfs", "proc"),
            mount("/dev", "devfs", "devfs"),
            mount("/dev/fd", "fdescfs", "fdescfs"),
            run,
        ]);
        assert_eq!(mounts, expected);
        // Again, they change nothing.
        assert_eq!(applied(mounts), expected);
    }

    #[test]
    fn what_was_made_for_a_jail_stays_as_it_is() {
        let mounts = json!([
            { "destination": "/dev", "type": "devfs", "source": "devfs", "options": ["ruleset=4"] },
            { "destination": "/dev/fd", "type": "fdescfs", "source": "fdescfs" },
            { "destination": "/dev/shm", "type": "tmpfs", "source": "tmpfs" },
            { "destination": "/data", "type": "bind", "source": "/d", "options": ["rbind"] },
        ]);
        assert_eq!(applied(mounts.clone()), mounts);
    }

    #[test]
    fn odd_documents_are_left_to_runj() {
        for odd in [json!(7), json!({ "mounts": 7 }), json!({ "mounts": [7, {}] })] {
            let mut config = odd.clone();
            apply(&mut config);
            assert_eq!(config, odd);
        }
    }
}
