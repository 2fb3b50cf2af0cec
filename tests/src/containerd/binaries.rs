//! The programs under test, where containerd finds them.

use std::env;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::executable::copy_program;
use crate::programs::build;

/// `runj`, `runj-demo` and `containerd-shim-runj-v1`, side by side, where nobody builds them anew
/// while they are being used.
#[derive(Debug)]
pub struct Binaries {
    dir: TempDir,
}

impl Binaries {
    /// Takes them from the environment (`RUNJ`, `RUNJ_DEMO`, `RUNJ_SHIM`), or builds them.
    ///
    /// # Panics
    ///
    /// When there is no cargo to build with, or it fails, or the programs cannot be copied.
    #[must_use]
    pub fn locate() -> Self {
        let dir = tempfile::Builder::new().prefix("runj-test-shim-").tempdir().unwrap();
        for (variable, program) in
            [("RUNJ", "runj"), ("RUNJ_DEMO", "runj-demo"), ("RUNJ_SHIM", "containerd-shim-runj-v1")]
        {
            let from = env::var_os(variable).map_or_else(|| build(program), PathBuf::from);
            copy_program(&from, &dir.path().join(program));
        }
        Self { dir }
    }

    /// The directory that they are in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.dir.path()
    }
}
