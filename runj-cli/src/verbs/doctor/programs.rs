//! The programs that run containers, by the search path of whoever asks.

use std::env;
use std::path::PathBuf;

use nix::unistd::{AccessFlags, access};

use super::finding::Finding;
use super::sys;

/// The program of that name that a shell would run.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let candidates = env::split_paths(&path).map(|directory| directory.join(name));
    candidates.into_iter().find(|path| path.is_file() && access(path, AccessFlags::X_OK).is_ok())
}

pub(super) fn findings() -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["runj", "containerd-shim-runj-v1"] {
        findings.push(match find(name) {
            Some(path) => Finding::fine(name, path.display().to_string()),
            None => Finding::lacks(name, "not in PATH, where engines look for it")
                .mended_by(install(name)),
        });
    }
    for (name, what) in [
        ("containerd", "only its clients (ctr, nerdctl, Kubernetes) need it"),
        ("podman", "only its users need it"),
        ("conmon", "only podman needs it"),
    ] {
        findings.push(match find(name) {
            Some(path) => Finding::fine(name, path.display().to_string()),
            None => Finding::lacks(name, format!("not in PATH; {what}"))
                .mended_by(format!("{} {name}", sys::INSTALL_PACKAGE)),
        });
    }
    findings
}

/// Our own programs are installed side by side.
fn install(name: &str) -> String {
    let directory = env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned()));
    let ours = directory.map(|directory| directory.join(name)).filter(|path| path.is_file());
    match ours {
        Some(path) => format!("install {} /usr/local/bin/", path.display()),
        None => {
            let package = if name == "runj" { "runj-cli" } else { "runj-shim" };
            format!(
                "cargo build --release --package {package} && install target/release/{name} \
                 /usr/local/bin/"
            )
        }
    }
}
