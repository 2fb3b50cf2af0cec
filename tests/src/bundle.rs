//! Bundles.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::executable::write_script;

/// A bundle whose root borrows the host's own programs.
///
/// Its process is the probe that waits until it is killed, unless told otherwise. Whatever is set
/// is written at once.
#[derive(Debug)]
pub struct Bundle {
    dir: PathBuf,
    config: Value,
    extension: Option<Value>,
}

/// What of the host's root makes its programs work, as far as it is there.
const BORROWED: &[&str] = &["bin", "lib", "lib32", "lib64", "libexec", "sbin", "usr"];

/// Where the probe is in a container.
const PROBE: &str = "/opt/probe";

impl Bundle {
    /// Makes a bundle in `dir`. In `probe_dir` is the probe.
    pub(crate) fn new(dir: PathBuf, probe_dir: &Path) -> Self {
        let root = dir.join("rootfs");
        fs::create_dir_all(&root).unwrap();
        let mut mounts = Vec::new();
        for name in BORROWED {
            let source = Path::new("/").join(name);
            match fs::symlink_metadata(&source) {
                Ok(metadata) if metadata.is_symlink() => {
                    symlink(fs::read_link(&source).unwrap(), root.join(name)).unwrap();
                }
                Ok(_) => mounts.push(nullfs(&source, &source, "ro")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => panic!("{}: {error}", source.display()),
            }
        }
        mounts.push(nullfs(probe_dir, Path::new(PROBE), "ro"));
        let config = json!({
            "ociVersion": "1.3.0",
            "process": {
                "args": [],
                "env": ["PATH=/sbin:/bin:/usr/sbin:/usr/bin"],
                "cwd": "/"
            },
            "mounts": mounts
        });
        Self { dir, config, extension: None }.probe(["wait"])
    }

    /// The bundle's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of its root file system.
    #[must_use]
    pub fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// The program and its arguments.
    #[must_use]
    pub fn args<const N: usize>(self, args: [&str; N]) -> Self {
        self.set("process.args", args.as_slice())
    }

    /// The probe with these arguments as the program.
    #[must_use]
    pub fn probe<const N: usize>(self, args: [&str; N]) -> Self {
        let args = Self::probe_command(args);
        self.set("process.args", args)
    }

    /// A line for the shell as the program.
    #[must_use]
    pub fn shell(self, line: &str) -> Self {
        self.args(["sh", "-c", line])
    }

    /// The probe with these arguments, as a program inside a container.
    #[must_use]
    pub fn probe_command<const N: usize>(args: [&str; N]) -> Vec<String> {
        let probe = format!("{PROBE}/runj-probe");
        [probe].into_iter().chain(args.map(str::to_owned)).collect()
    }

    /// Sets a value of config.json, whose place is given by keys with dots between them.
    #[must_use]
    pub fn set(mut self, place: &str, value: impl Into<Value>) -> Self {
        let mut target = &mut self.config;
        for key in place.split('.') {
            if target.is_null() {
                *target = Value::Object(Map::new());
            }
            target = &mut target[key];
        }
        *target = value.into();
        self.saved()
    }

    /// Takes a value of config.json away.
    #[must_use]
    pub fn without(mut self, place: &str) -> Self {
        let (parent, key) = place.rsplit_once('.').unwrap_or(("", place));
        let mut target = &mut self.config;
        for key in parent.split('.').filter(|key| !key.is_empty()) {
            target = &mut target[key];
        }
        target.as_object_mut().and_then(|object| object.remove(key)).expect("it is there");
        self.saved()
    }

    /// Adds a mount.
    #[must_use]
    pub fn mount(mut self, mount: Value) -> Self {
        self.config["mounts"].as_array_mut().unwrap().push(mount);
        self.saved()
    }

    /// Adds a nullfs mount that shows a directory of the host.
    #[must_use]
    pub fn nullfs(self, source: &Path, destination: &str, option: &str) -> Self {
        self.mount(nullfs(source, Path::new(destination), option))
    }

    /// How many mounts it has: the index of the next one.
    ///
    /// # Panics
    ///
    /// When `mounts` was set to something else than a list.
    #[must_use]
    pub fn mounts(&self) -> usize {
        self.config["mounts"].as_array().unwrap().len()
    }

    /// Sets runj.ext.json.
    #[must_use]
    pub fn extension(mut self, extension: Value) -> Self {
        self.extension = Some(extension);
        self.saved()
    }

    /// Sets what runj.ext.json says about IPv4.
    #[must_use]
    pub fn ipv4(self, ipv4: Value) -> Self {
        self.extension(json!({ "network": { "ipv4": ipv4 } }))
    }

    /// Puts an executable script for the shell beside the bundle's documents; its path.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        write_script(&path, &format!("{text}\n"));
        path
    }

    fn saved(self) -> Self {
        let write = |name: &str, value: &Value| {
            let text = serde_json::to_vec_pretty(value).unwrap();
            fs::write(self.dir.join(name), text).unwrap();
        };
        write("config.json", &self.config);
        if let Some(extension) = &self.extension {
            write("runj.ext.json", extension);
        }
        self
    }
}

fn nullfs(source: &Path, destination: &Path, option: &str) -> Value {
    json!({
        "type": "nullfs",
        "source": source,
        "destination": destination,
        "options": [option]
    })
}
