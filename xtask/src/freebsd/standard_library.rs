//! Where the standard library for the FreeBSD targets comes from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{TARGETS, rust_src};
use crate::run::read;

/// What a build is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be tested, or only checked.
    Tests,
    /// To be used, or to be measured as it will be used.
    Use,
}

pub(super) enum StandardLibrary {
    /// The toolchain has it compiled for every target: `rustup target add`, or a FreeBSD host.
    Compiled,
    /// The toolchain has its sources, where cargo looks for them: `rustup component add rust-src`,
    /// or FreeBSD's own rust package.
    Sources,
    /// Its sources are in this directory.
    SourcesAt(PathBuf),
}

impl StandardLibrary {
    /// Finds what the toolchain in use has, or sets up its sources.
    ///
    /// # Errors
    /// The toolchain has neither, and the sources cannot be set up here.
    pub(super) fn find() -> Result<Self> {
        let sysroot = read(Command::new("rustc").args(["--print", "sysroot"]))?;
        let rustlib = Path::new(sysroot.trim_end()).join("lib/rustlib");

        if TARGETS.iter().all(|target| has_std(&rustlib.join(target).join("lib"))) {
            return Ok(Self::Compiled);
        }
        if rustlib.join("src/rust/library/Cargo.lock").exists() {
            return Ok(Self::Sources);
        }
        let sources = rust_src::set_up().context(
            "the toolchain has no standard library for FreeBSD; \
             `rustup component add rust-src` gives it the sources to build one. \
             Tried Debian's rust-src package instead",
        )?;
        Ok(Self::SourcesAt(sources))
    }

    /// Tells `cargo` to use it. What is for use, not for tests, aborts where it panics and has no
    /// symbols, so that a backtrace would say nothing: naming a feature takes away those that are there
    /// otherwise, unwinding and backtraces, which are 130 KB.
    ///
    /// -Zbuild-std is an unstable option. RUSTC_BOOTSTRAP lets a stable toolchain take it; the
    /// variable must not reach builds for the host, which have no use for it.
    pub(super) fn tell(&self, cargo: &mut Command, purpose: Purpose) {
        match self {
            Self::Compiled => return,
            Self::Sources => {}
            // Cargo's only way to name another place. It is meant for cargo's own tests, which is
            // why the toolchain's copy comes first.
            Self::SourcesAt(library) => {
                cargo.env("__CARGO_TESTS_ONLY_SRC_ROOT", library);
            }
        }
        cargo.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_unwind,panic_abort");
        if purpose == Purpose::Use {
            cargo.arg("-Zbuild-std-features=optimize_for_size");
        }
    }
}

fn has_std(lib: &Path) -> bool {
    let files = fs::read_dir(lib).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}
