//! The engines that this host has.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;

use crate::containerd;
use crate::invocation::Invocation;

/// Where `cargo xtask test` unpacks them.
const SET_UP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/engines/bookworm");

/// podman, buildah, conmon and what they need, below one directory: either what `cargo xtask test`
/// has set up, or the host.
#[derive(Debug)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// Finds them.
    ///
    /// # Errors
    ///
    /// What is missing for them to run containers here.
    pub fn find() -> Result<Self, &'static str> {
        if !cfg!(target_os = "linux") {
            return Err("the Linux development host, which is where Debian's packages run");
        }
        if !geteuid().is_root() {
            return Err("root");
        }
        let mut roots = [SET_UP, "/"].into_iter().map(|root| Self { root: root.into() });
        let tools = roots.find(Self::run).ok_or("podman, buildah and conmon")?;
        containerd::missing_for_images().map_or(Ok(tools), Err)
    }

    /// Whether all of them can be started.
    fn run(&self) -> bool {
        ["podman", "buildah", "conmon"].iter().all(|name| {
            let mut command = Command::new(self.program(name));
            command.arg("--version").env("LD_LIBRARY_PATH", self.libraries());
            command.output().is_ok_and(|output| output.status.success())
        })
    }

    /// The directory that the programs are in.
    pub(super) fn directory(&self) -> PathBuf {
        self.root.join("usr/bin")
    }

    /// The path of a program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The profile that podman cannot do without, although `runj` has no use for it.
    pub(super) fn seccomp_profile(&self) -> PathBuf {
        self.root.join("usr/share/containers/seccomp.json")
    }

    /// A call of a program, whose output goes to files that begin with that path.
    pub(super) fn call(&self, name: &str, output: &Path) -> Invocation {
        Invocation::new(&self.program(name), output)
    }

    /// Where the libraries are that came with them.
    pub(super) fn libraries(&self) -> String {
        let root = self.root.display();
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        format!("{root}/usr/lib/{triplet}:{root}/lib/{triplet}")
    }
}
