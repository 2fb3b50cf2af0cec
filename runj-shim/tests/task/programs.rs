//! The programs under test.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Where `runj` and the shim's program are.
pub(crate) struct Programs {
    pub(crate) runj: PathBuf,
    pub(crate) shim: PathBuf,
}

impl Programs {
    pub(crate) fn locate() -> Self {
        if let Some(runj) = env::var_os("RUNJ").map(PathBuf::from) {
            let shim = runj.with_file_name("containerd-shim-runj-v1");
            return Self { runj, shim };
        }
        let shim = PathBuf::from(env!("CARGO_BIN_EXE_containerd-shim-runj-v1"));
        let cargo = env::var_os("CARGO").expect("RUNJ names no runj, and there is no cargo");
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--workspace", "--bin", "runj"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success(), "cargo build --bin runj: {built}");
        Self { runj: shim.with_file_name("runj"), shim }
    }
}
