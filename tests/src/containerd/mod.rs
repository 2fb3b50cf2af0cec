//! A real containerd, as a plain process in a directory of its own, and its `ctr`.

mod binaries;
mod engine;
mod image;
mod release;

pub use binaries::Binaries;
pub use engine::{Engine, IMAGE};
pub use release::Release;

/// Whether the host has what the image is made of.
#[must_use]
pub fn has_busybox() -> bool {
    image::busybox().is_some()
}
