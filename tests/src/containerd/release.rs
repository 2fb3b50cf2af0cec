//! The releases of containerd that this host has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    /// oldest first. `RUNJ_CONTAINERD` names the directory of the only one to be used instead.
    ///
    /// # Panics
    ///
    /// When the directory that is named has none.
    #[must_use]
    pub fn all() -> Vec<Self> {
        if let Some(directory) = std::env::var_os("RUNJ_CONTAINERD") {
            let release = Self::in_directory(Path::new(&directory));
            return vec![release.unwrap_or_else(|| panic!("no containerd in {directory:?}"))];
        }
        let set_up = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/containerd");
        let set_up = fs::read_dir(set_up).into_iter().flatten();
        let set_up = set_up.map(|entry| entry.unwrap().path().join("usr/bin"));
        let mut releases: Vec<_> =
            set_up.chain(["/usr/bin".into()]).filter_map(|dir| Self::in_directory(&dir)).collect();
        releases.sort_by_key(|release| {
            let numbers = release.version.split('.').map(|number| number.parse::<u32>());
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
