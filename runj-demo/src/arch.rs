//! The processors.

use runj_flags::choices;

choices! {
    /// A processor by FreeBSD's name of the machine (uname(1), `-m`), which OCI's images have for it
    /// as well.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Arch {
        /// x86_64
        Amd64 = "amd64",
        /// aarch64
        Arm64 = "arm64",
    }
}

impl Arch {
    /// The name of this program's.
    pub(crate) const HOST: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
}
