//! The releases of containerd that this host has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo xtask test` puts them, a directory each.
pub(crate) const SET_UP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/containerd");

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
    /// oldest first. `RUNJ_CONTAINERD` narrows that, as in [`named`](Self::named).
    ///
    /// # Panics
    ///
    /// When there is none that `RUNJ_CONTAINERD` asks for.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let Ok(wanted) = std::env::var("RUNJ_CONTAINERD") else { return Self::known() };
        let releases = Self::named(&wanted);
        assert!(!releases.is_empty(), "there is no containerd {wanted}");
        releases
    }

    /// The one in a directory, or those of all whose version begins with `wanted`.
    ///
    /// # Panics
    ///
    /// When the directories that they are in cannot be read.
    #[must_use]
    pub fn named(wanted: &str) -> Vec<Self> {
        let directory = Path::new(wanted);
        if directory.is_dir() {
            return Self::in_directory(directory).into_iter().collect();
        }
        let mut releases = Self::known();
        releases.retain(|release| release.version.starts_with(wanted));
        releases
    }

    /// Whether it was built with its CRI plugin.
    ///
    /// # Panics
    ///
    /// When it cannot be executed.
    #[must_use]
    pub fn has_cri(&self) -> bool {
        let mut command = Command::new(self.directory.join("containerd"));
        let output = command.args(["config", "default"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains(".cri")
    }

    fn known() -> Vec<Self> {
        let set_up = fs::read_dir(Path::new(SET_UP)).into_iter().flatten();
        let set_up = set_up.map(|entry| entry.unwrap().path().join("usr/bin"));
        let host = ["/usr/bin", "/usr/local/bin"].map(PathBuf::from);
        let mut releases: Vec<_> =
            set_up.chain(host).filter_map(|dir| Self::in_directory(&dir)).collect();
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
