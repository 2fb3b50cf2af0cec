//! The standard library's sources from Debian's rust-src package, for machines where rustup cannot
//! fetch them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::apt::{Home, remove};
use crate::run::read;

/// Debian's suite of newer packages for its stable release: it keeps the last few Rust releases.
const SUITE: &str = "trixie-backports";

/// Sets up the sources of the release that `rustc` is, unless they are there already, and returns
/// their directory: what is `library` in the Rust repository.
///
/// # Errors
/// This is not a Debian machine, or Debian does not serve that release.
pub(super) fn set_up() -> Result<PathBuf> {
    let version = read(Command::new("rustc").arg("-vV"))?;
    let release = version.lines().find_map(|line| line.strip_prefix("release: "));
    let release = release.context("`rustc -vV` names no release")?;

    let home = Home::lock("target/freebsd")?;
    let library = home.path().join(format!("library-{release}"));
    if !library.exists() {
        fetch(release, &home, &library)?;
    }
    Ok(library)
}

/// Makes `library`, whole or not at all.
fn fetch(release: &str, home: &Home, library: &Path) -> Result<()> {
    let suite = home.suite(SUITE)?;
    let versions = suite.versions("rust-src")?;
    let version = package_version(&versions, release)
        .with_context(|| format!("{SUITE} has no rust-src {release}, only\n{versions}"))?;
    let unpacked = suite.unpack(&format!("rust-src={version}"))?;
    let sources = unpacked.join(format!("usr/src/rustc-{release}/library"));
    // Debian's choice of the dependencies; cargo fetches those that Cargo.lock names.
    remove(&sources.join("vendor"))?;
    // Only now does it count as set up.
    fs::rename(&sources, library).with_context(|| format!("{}", sources.display()))
}

/// The version, of those that `apt-cache madison` lists, whose upstream part is `release`.
fn package_version<'a>(madison: &'a str, release: &str) -> Option<&'a str> {
    madison.lines().filter_map(|line| line.split('|').nth(1).map(str::trim)).find(|version| {
        // 1.95.0+dfsg1-2~bpo13+1: Debian repacks the sources and says so after the plus sign.
        version.strip_prefix(release).is_some_and(|rest| rest.starts_with(['+', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_package_of_the_toolchain_not_the_newest() {
        let madison = "\
  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://mirror.example/debian trixie-backports/main
  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://mirror.example/debian trixie-backports/main
";
        assert_eq!(package_version(madison, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(package_version(madison, "1.9"), None);
        assert_eq!(package_version(madison, "1.97.0-nightly"), None);
    }
}
