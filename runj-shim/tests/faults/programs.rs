//! The programs under test, with fault points.

use std::path::PathBuf;

use runj_tests::runj_with_faults;

/// Where `runj` and the shim's program are.
pub(crate) struct Programs {
    pub(crate) runj: PathBuf,
    pub(crate) shim: PathBuf,
}

impl Programs {
    pub(crate) fn locate() -> Self {
        let runj = runj_with_faults();
        Self { shim: runj.with_file_name("containerd-shim-runj-v1"), runj }
    }
}
