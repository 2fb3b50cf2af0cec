//! `cargo xtask port`: the part of the FreeBSD port that changes with Cargo.lock.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;

use crate::dependencies::{Locked, locked};
use crate::generated::Generated;

/// Writes dist/port/Makefile.crates, which is made from Cargo.lock
#[derive(Args)]
pub(crate) struct Port {}

impl Port {
    pub(crate) fn run(&self) -> Result<()> {
        file()?.write()
    }
}

/// As the port's `make cargo-crates` writes it: all of Cargo.lock, since cargo wants to know of
/// crates that are not built as well.
pub(crate) fn file() -> Result<Generated> {
    let crates = locked()?.into_iter().filter(|package| package.source.is_some());
    let mut text = String::from("CARGO_CRATES=");
    for (index, Locked { name, version, .. }) in crates.enumerate() {
        let before = if index == 0 { "\t" } else { " \\\n\t\t" };
        write!(text, "{before}{name}-{version}")?;
    }
    text.push('\n');
    Ok(Generated { path: "dist/port/Makefile.crates", verb: "port", text })
}
