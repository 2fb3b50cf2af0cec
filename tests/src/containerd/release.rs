//! The releases of containerd that this host has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo xtask test` puts them, a directory each.
pub(super) const SET_UP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/containerd");

/// A containerd and its `ctr`.
#[derive(Clone, Debug)]
pub struct Release {
    /// Such as `1.6.20`.
    pub version: String,
    /// The directory with `containerd` and `ctr`.
    pub directory: PathBuf,
}

impl Release {
    /// The host's own, and those that `cargo xtask test` has put below target/containerd, the
    /// oldest first. `RUNJ_CONTAINERD` narrows that to the one in a directory, or to those whose
    /// version begins with it.
    ///
    /// # Panics
    ///
    /// When there is none that `RUNJ_CONTAINERD` asks for.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let Ok(wanted) = std::env::var("RUNJ_CONTAINERD") else { return Self::known() };
        let mut releases = match Self::in_directory(Path::new(&wanted)) {
            Some(release) => vec![release],
            None => Self::known(),
        };
        if !Path::new(&wanted).is_dir() {
            releases.retain(|release| release.version.starts_with(&wanted));
        }
        assert!(!releases.is_empty(), "there is no containerd {wanted}");
        releases
    }

    fn known() -> Vec<Self> {
        let set_up = fs::read_dir(Path::new(SET_UP)).into_iter().flatten();
        let set_up = set_up.map(|entry| entry.unwrap().path().join("usr/bin"));
        let mut releases: Vec<_> =
            set_up.chain(["/usr/bin".into()]).filter_map(|dir| Self::in_directory(&dir)).collect();
        releases.sort_by_key(|release| {
            let numbers = release.version.split('.').map(str::parse::<u32>);
            numbers.map(Result::unwrap_or_default).collect::<Vec<_>>()
        });
        releases.dedup_by(|a, b| a.version == b.version);
        releases
    }

    /// The one in that directory, if there is one.
    fn in_directory(directory: &Path) -> Option<Self> {
        let output = Command::new(directory.join("containerd")).arg("--version").output().ok()?;
        // containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.split_whitespace().nth(2)?.split(['~', '+', '-']).next()?;
        directory.join("ctr").exists().then(|| Self {
            version: version.trim_start_matches('v').to_owned(),
            directory: directory.to_owned(),
        })
    }
}
