//! A real podman and buildah, with everything of their own in a directory of their own.

mod engine;
mod tools;

pub use engine::{Engine, IMAGE};
pub use tools::Tools;
