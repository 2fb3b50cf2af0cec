//! The crates that are in the programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{Artifact, Metadata, Package, Target};
use spdx::Expression;

use crate::dependencies::locked;

/// Those that cargo has linked, which is fewer than those that it has built.
pub(super) struct Linked<'m> {
    packages: Vec<&'m Package>,
    /// By name and version, for those that come from a registry.
    checksums: BTreeMap<(String, String), String>,
    metadata: &'m Metadata,
}

impl<'m> Linked<'m> {
    /// Takes, of all that cargo has built, what is for the machine of which `is_for_it` knows the
    /// files. Procedural macros and what build scripts use are for the host. The standard library's
    /// crates are not known to `metadata`, and are left out.
    pub(super) fn of(
        metadata: &'m Metadata,
        artifacts: &[Artifact],
        is_for_it: impl Fn(&Path) -> bool,
    ) -> Result<Self> {
        let linked: BTreeSet<_> = artifacts
            .iter()
            .filter(|artifact| artifact.filenames.iter().any(|file| is_for_it(file.as_ref())))
            .map(|artifact| &artifact.package_id)
            .collect();
        let mut packages: Vec<_> =
            metadata.packages.iter().filter(|package| linked.contains(&package.id)).collect();
        packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        ensure!(!packages.is_empty(), "cargo has not said what it has built");
        let checksums = locked()?.into_iter().filter_map(|package| {
            package.checksum.map(|checksum| ((package.name, package.version), checksum))
        });
        Ok(Self { packages, checksums: checksums.collect(), metadata })
    }

    /// All of them, by name.
    pub(super) fn all(&self) -> &[&'m Package] {
        &self.packages
    }

    /// Those that are not runj's own.
    pub(super) fn others(&self) -> Vec<&'m Package> {
        self.packages.iter().copied().filter(|package| package.source.is_some()).collect()
    }

    /// Those that are runj's own programs. Crates of others may have some as well, which nobody has
    /// asked for.
    pub(super) fn programs(&self) -> Vec<&'m Package> {
        let ours = self.packages.iter().copied().filter(|package| package.source.is_none());
        ours.filter(|package| package.targets.iter().any(Target::is_bin)).collect()
    }

    /// The SHA-256 of a crate's file, if it comes from a registry.
    pub(super) fn checksum(&self, package: &Package) -> Option<&str> {
        let key = (package.name.to_string(), package.version.to_string());
        self.checksums.get(&key).map(|checksum| &**checksum)
    }

    /// Those that a crate uses.
    pub(super) fn used_by(&self, package: &Package) -> Vec<&'m Package> {
        let nodes = self.metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let edges = nodes.filter(|node| node.id == package.id).flat_map(|node| &node.deps);
        let used: BTreeSet<_> = edges.map(|edge| &edge.pkg).collect();
        self.packages.iter().copied().filter(|other| used.contains(&other.id)).collect()
    }
}

/// The licence of a crate as SPDX writes it: some crates still have the slash for a choice.
pub(super) fn licence(package: &Package) -> Result<String> {
    let text =
        package.license.as_deref().with_context(|| format!("{}: no licence", package.name))?;
    let canonical = Expression::canonicalize(text)
        .with_context(|| format!("{}: the licence {text:?}", package.name))?;
    Ok(canonical.unwrap_or_else(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn our_programs_are_those_that_are_released() {
        let package = |name: &str, source: Value, kind: &str| {
            json!({
                "name": name,
                "version": "1.0.0",
                "id": name,
                "source": source,
                "dependencies": [],
                "targets": [{"name": name, "kind": [kind], "src_path": "/src"}],
                "features": {},
                "manifest_path": "/Cargo.toml",
            })
        };
        let registry = json!("registry+https://github.com/rust-lang/crates.io-index");
        let metadata: Metadata = serde_json::from_value(json!({
            "packages": [
                package("runj-cli", Value::Null, "bin"),
                package("runj-spec", Value::Null, "lib"),
                package("clap", registry, "bin"),
            ],
            "workspace_members": [],
            "resolve": null,
            "workspace_root": "/",
            "target_directory": "/target",
            "version": 1,
        }))
        .unwrap();
        let packages = metadata.packages.iter().collect();
        let linked = Linked { packages, checksums: BTreeMap::new(), metadata: &metadata };
        let names = |packages: Vec<&Package>| -> Vec<String> {
            packages.iter().map(|package| package.name.to_string()).collect()
        };
        assert_eq!(names(linked.programs()), ["runj-cli"]);
        assert_eq!(names(linked.others()), ["clap"]);
    }
}
