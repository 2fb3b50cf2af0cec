//! The programs under test.

use std::env;
use std::path::PathBuf;

use runj_tests::build;

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
        Self { runj: build("runj"), shim: env!("CARGO_BIN_EXE_containerd-shim-runj-v1").into() }
    }
}
