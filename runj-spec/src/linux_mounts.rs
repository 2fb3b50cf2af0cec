//! What of a configuration's mounts that was made for Linux has another meaning in a jail.
//!
//! Engines give a container on Linux a set of mounts that Linux programs expect. On FreeBSD they do
//! not, but a configuration may come from anywhere, and the development host is Linux. So the rules
//! go by what is asked for, not by the host:
//!
//! | in config.json | what becomes of it |
//! |---|---|
//! | `tmpfs` on `/dev` | a devfs, as a jail needs its devices, and behind it an fdescfs on `/dev/fd` unless there is one |
//! | `devpts` and `mqueue` anywhere, `tmpfs` named `shm` on `/dev/shm` when `/dev` is a `tmpfs` | left out: devfs has the terminals, and neither queues nor shared memory take a mount |
//! | `sysfs`, `cgroup`, `cgroup2` anywhere | left out: FreeBSD has nothing like them |
//! | `proc` | a procfs at the same place |
//! | everything else | stays: it is mounted, or refused with the reason |
//!
//! The `linux` section, capabilities and the like are ignored as a whole, as the specification asks
//! of a runtime.

use serde_json::Map;

use crate::Mount;

impl Mount {
    /// The mounts that a jail gets of `mounts`, each with the index of the one that it stands for.
    #[must_use]
    pub fn for_jail(mounts: &[Self]) -> Vec<(usize, Self)> {
        let linux_dev = mounts.iter().any(Self::is_linux_dev);
        let has_descriptors = mounts.iter().any(|mount| mount.at() == "/dev/fd");
        let mut result = Vec::with_capacity(mounts.len());
        for (index, mount) in mounts.iter().enumerate() {
            match mount.typ.as_deref() {
                Some("devpts" | "mqueue" | "sysfs" | "cgroup" | "cgroup2") => {}
                Some("tmpfs") if linux_dev && mount.is_linux_shm() => {}
                Some("proc") => {
                    result.push((index, Self { typ: Some("procfs".into()), ..mount.clone() }));
                }
                _ if mount.is_linux_dev() => {
                    result.push((index, Self::of_type("devfs", "/dev")));
                    if !has_descriptors {
                        result.push((index, Self::of_type("fdescfs", "/dev/fd")));
                    }
                }
                _ => result.push((index, mount.clone())),
            }
        }
        result
    }

    fn of_type(typ: &str, destination: &str) -> Self {
        Self {
            destination: destination.into(),
            typ: Some(typ.into()),
            source: Some(typ.into()),
            options: Vec::new(),
            extra: Map::new(),
        }
    }

    fn is_linux_dev(&self) -> bool {
        self.typ.as_deref() == Some("tmpfs") && self.at() == "/dev"
    }

    fn is_linux_shm(&self) -> bool {
        self.at() == "/dev/shm" && self.source.as_deref() == Some("shm")
    }

    /// The destination without slashes at its end.
    fn at(&self) -> &str {
        match self.destination.trim_end_matches('/') {
            "" => "/",
            path => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Config;

    /// The rules' outcome, as it would stand in config.json, and the indexes.
    fn applied(mounts: &Value) -> (Vec<Value>, Vec<usize>) {
        let config = json!({ "ociVersion": "1.0.2", "mounts": mounts });
        let config = Config::parse(config.to_string().as_bytes(), "config.json").unwrap();
        let outcome = Mount::for_jail(&config.mounts).into_iter();
        outcome.map(|(index, mount)| (serde_json::to_value(mount).unwrap(), index)).unzip()
    }

    fn mount(destination: &str, typ: &str, source: &str) -> Value {
        json!({ "destination": destination, "type": typ, "source": source })
    }

    #[test]
    fn what_a_linux_container_gets_becomes_what_a_jail_has() {
        let mut dev = mount("/dev", "tmpfs", "tmpfs");
        dev["options"] = json!(["nosuid", "strictatime", "mode=755", "size=65536k"]);
        let mut run = mount("/run", "tmpfs", "tmpfs");
        run["options"] = json!(["nosuid", "size=65536k"]);
        let mounts = json!([
            mount("/proc", "proc", "proc"),
            dev,
            mount("/dev/pts", "devpts", "devpts"),
            mount("/dev/shm", "tmpfs", "shm"),
            mount("/dev/mqueue", "mqueue", "mqueue"),
            mount("/sys", "sysfs", "sysfs"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup"),
            run,
        ]);
        let (outcome, indexes) = applied(&mounts);
        let expected = [
            mount("/proc", "procfs", "proc"),
            mount("/dev", "devfs", "devfs"),
            mount("/dev/fd", "fdescfs", "fdescfs"),
            run,
        ];
        assert_eq!(outcome, expected);
        // A message about one of them names the one that was written.
        assert_eq!(indexes, [0, 1, 1, 7]);
        // Again, the rules change nothing.
        assert_eq!(applied(&json!(outcome)).0, expected);
    }

    #[test]
    fn what_was_made_for_a_jail_stays_as_it_is() {
        // The third is what podman on FreeBSD gives the images of Linux.
        let mounts = json!([
            { "destination": "/dev", "type": "devfs", "source": "devfs", "options": ["ruleset=4"] },
            { "destination": "/dev/fd", "type": "fdescfs", "source": "fdescfs" },
            { "destination": "/dev/shm", "type": "tmpfs", "source": "shm" },
            { "destination": "/data", "type": "bind", "source": "/d", "options": ["rbind"] },
        ]);
        let (outcome, indexes) = applied(&mounts);
        assert_eq!(json!(outcome), mounts);
        assert_eq!(indexes, [0, 1, 2, 3]);
    }
}
