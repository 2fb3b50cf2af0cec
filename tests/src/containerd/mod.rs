//! A real containerd, as a plain process in a directory of its own, and its `ctr`.

mod binaries;
mod engine;
mod image;
pub(crate) mod release;
mod userland;

pub use binaries::Binaries;
pub use engine::{Engine, IMAGE};
pub use release::Release;

pub(crate) use userland::{Entry, Userland};

/// The root of an image, as a tar archive.
pub(crate) fn root_archive() -> Vec<u8> {
    image::root_layer(&Userland::host())
}

/// What a release of FreeBSD has in base.txz, in small and of this host's programs, as a tar archive.
///
/// # Panics
///
/// When the host lacks programs for it ([`missing_for_images`]).
#[must_use]
pub fn base_archive() -> Vec<u8> {
    image::base(&Userland::host())
}

/// Makes, in that directory, what an image has.
pub(crate) fn install_userland(root: &std::path::Path) {
    Userland::host().install(root);
}

/// What this host would have to have to make an image, if it cannot.
#[must_use]
pub fn missing_for_images() -> Option<&'static str> {
    Userland::find().err()
}
