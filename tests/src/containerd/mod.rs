//! A real containerd, as a plain process in a directory of its own, and its `ctr`.

mod binaries;
mod engine;
mod image;
mod release;

pub use binaries::Binaries;
pub use engine::{Engine, IMAGE};
pub use release::Release;
