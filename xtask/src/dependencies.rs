//! What the crates of this workspace depend on.

use std::fs;

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use serde::Deserialize;

/// What cargo knows of the workspace and of all that it depends on for `target`.
///
/// # Errors
/// cargo fails, which it does where Cargo.lock is out of date.
pub(crate) fn metadata(target: &str) -> Result<Metadata> {
    MetadataCommand::new()
        .other_options(["--locked", "--filter-platform", target].map(str::to_owned))
        .exec()
        .context("cargo metadata")
}

/// A crate as Cargo.lock has it.
#[derive(Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it comes from; nothing for runj's own.
    pub(crate) source: Option<String>,
    /// The SHA-256 of its file, if it comes from a registry.
    pub(crate) checksum: Option<String>,
}

/// The crates of Cargo.lock, by name.
///
/// # Errors
/// There is no such file, or it is another kind of file.
pub(crate) fn locked() -> Result<Vec<Locked>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    let text = fs::read_to_string("Cargo.lock").context("Cargo.lock")?;
    let lock: Lock = toml::from_str(&text).context("Cargo.lock")?;
    Ok(lock.package)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cargo_metadata::Package;
    use spdx::{Expression, Licensee, ParseMode};

    use super::*;

    /// Those for which runj is built.
    const TARGETS: [&str; 3] =
        ["x86_64-unknown-freebsd", "aarch64-unknown-freebsd", "x86_64-unknown-linux-gnu"];

    /// The part of deny.toml that takes no cargo-deny to check.
    #[derive(Deserialize)]
    struct Deny {
        licenses: Licenses,
        sources: Sources,
    }

    #[derive(Deserialize)]
    struct Licenses {
        allow: Vec<String>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Sources {
        allow_registry: Vec<String>,
    }

    fn deny() -> Deny {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml");
        toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Every crate that is compiled for one of the targets, for tests too.
    fn packages() -> Vec<Package> {
        let mut packages = Vec::new();
        for target in TARGETS {
            let metadata = metadata(target).unwrap();
            let nodes = &metadata.resolve.as_ref().unwrap().nodes;
            let used: BTreeSet<_> = nodes.iter().map(|node| &node.id).collect();
            packages.extend(metadata.packages.iter().filter(|it| used.contains(&it.id)).cloned());
        }
        assert!(packages.len() > 100, "{}", packages.len());
        packages
    }

    /// Whether one may take a crate of this licence.
    fn is_allowed(license: Option<&str>, allowed: &[Licensee]) -> bool {
        let Some(license) = license else { return false };
        let expression = Expression::parse_mode(license, ParseMode::LAX).unwrap();
        expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)))
    }

    #[test]
    fn every_crate_has_a_licence_that_deny_toml_allows() {
        let allowed: Vec<_> = deny().licenses.allow.iter().map(|it| it.parse().unwrap()).collect();
        assert!(is_allowed(Some("GPL-3.0-only OR MIT"), &allowed));
        assert!(!is_allowed(Some("GPL-3.0-only AND MIT"), &allowed));
        for package in packages() {
            let license = package.license.as_deref();
            assert!(is_allowed(license, &allowed), "{}: {license:?}", package.name);
        }
    }

    #[test]
    fn every_crate_comes_from_where_deny_toml_allows() {
        let allowed = deny().sources.allow_registry;
        for package in packages() {
            let Some(source) = package.source else { continue };
            let known = allowed.iter().any(|it| source.repr == format!("registry+{it}"));
            assert!(known, "{}: {source}", package.name);
        }
    }
}
