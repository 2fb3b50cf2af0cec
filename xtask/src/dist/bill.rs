//! The bill of materials, as CycloneDX 1.6 has it (<https://cyclonedx.org/docs/1.6/json/>).

use anyhow::{Context as _, Result};
use cargo_metadata::Package;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::crates::{Linked, licence};

/// What it is made of.
pub(super) struct Bill<'a> {
    /// That of runj.
    pub(super) version: &'a str,
    /// When, in seconds since 1970.
    pub(super) time: u64,
    /// The version of Rust, whose standard library is in the programs.
    pub(super) rust: &'a str,
    /// `__FreeBSD_version` of the libraries in them.
    pub(super) release: u32,
    pub(super) linked: &'a Linked<'a>,
}

impl Bill<'_> {
    pub(super) fn json(&self) -> Result<Vec<u8>> {
        let time = Timestamp::from_second(i64::try_from(self.time)?).context("the time")?;
        let mut components = vec![
            json!({
                "type": "library",
                "bom-ref": "rust-std",
                "name": "std",
                "version": self.rust,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
            }),
            json!({
                "type": "operating-system",
                "bom-ref": "freebsd",
                "name": "FreeBSD",
                "version": self.release.to_string(),
                "description": "libc and the libraries beside it; __FreeBSD_version",
                "licenses": [{"license": {"name": "FreeBSD, COPYRIGHT"}}],
            }),
        ];
        let mut dependencies = Vec::new();
        let mut programs = vec!["rust-std".to_owned(), "freebsd".to_owned()];
        for package in self.linked.all() {
            components.push(self.component(package)?);
            let used = self.linked.used_by(package);
            let used: Vec<_> = used.iter().map(|other| purl(other)).collect();
            dependencies.push(json!({"ref": purl(package), "dependsOn": used}));
        }
        programs.extend(self.linked.programs().into_iter().map(purl));
        dependencies.insert(0, json!({"ref": "runj", "dependsOn": programs}));
        let bill = json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "timestamp": time.to_string(),
                "component": {
                    "type": "application",
                    "bom-ref": "runj",
                    "name": "runj",
                    "version": self.version,
                    "licenses": [{"expression": "BSD-2-Clause"}],
                },
            },
            "components": components,
            "dependencies": dependencies,
        });
        let mut text = serde_json::to_vec_pretty(&bill)?;
        text.push(b'\n');
        Ok(text)
    }

    fn component(&self, package: &Package) -> Result<Value> {
        let mut component = json!({
            "type": "library",
            "bom-ref": purl(package),
            "name": package.name,
            "version": package.version,
            "purl": purl(package),
            "licenses": [{"expression": licence(package)?}],
        });
        if let Some(checksum) = self.linked.checksum(package) {
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        Ok(component)
    }
}

/// A crate's package URL (<https://github.com/package-url/purl-spec>).
fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}
