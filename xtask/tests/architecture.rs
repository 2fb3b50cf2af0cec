//! ARCHITECTURE.md is a map: what it names is there, and crates use each other as it says.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files and directories below `dir`, as paths from `root`, but for what is built.
fn collect(root: &Path, dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name == "target" || name == ".git" {
            continue;
        }
        paths.push(path.strip_prefix(root).unwrap().to_owned());
        if path.is_dir() {
            collect(root, &path, paths);
        }
    }
}

/// The words of a paragraph that are set as code, and the targets of its links.
fn names(paragraph: &str) -> impl Iterator<Item = &str> {
    let code = paragraph.split('`').skip(1).step_by(2);
    let links = paragraph.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    code.chain(links)
}

/// Whether a name is that of a file or directory of the repository. Those of a container's state
/// directory and those of the host are not.
fn is_path(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    let relative = name.chars().all(plain) && !name.starts_with('/');
    relative && (name.contains('/') || name.ends_with(".rs") || name.ends_with(".md"))
}

#[test]
fn every_file_and_directory_that_is_named_exists() {
    let root = root();
    let mut paths = Vec::new();
    collect(&root, &root, &mut paths);
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut seen = 0;
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.starts_with("```")) {
        // The paragraph of a crate names that crate's files.
        let bold = paragraph.strip_prefix("**").and_then(|rest| rest.split("**").next());
        let home = bold.filter(|name| root.join(name).is_dir()).unwrap_or_default();
        for name in names(paragraph).filter(|name| is_path(name)) {
            let found = root.join(name).exists()
                || paths.iter().any(|path| path.starts_with(home) && path.ends_with(name));
            assert!(found, "there is no {name} in {home:?}:\n{paragraph}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}: does this still find names?");
}

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap()
}

/// The crates of the workspace that are published.
fn published(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.workspace_packages().into_iter().filter(|package| package.publish.is_none())
}

#[test]
fn crates_use_those_that_the_picture_has_below_them() {
    let below: BTreeMap<&str, &[&str]> = BTreeMap::from([
        (
            "runj-cli",
            &[
                "runj-demo",
                "runj-faults",
                "runj-flags",
                "runj-jail",
                "runj-malloc",
                "runj-runtime",
                "runj-spec",
            ][..],
        ),
        ("runj-demo", &["runj-flags"]),
        ("runj-faults", &[]),
        ("runj-flags", &[]),
        ("runj-jail", &[]),
        ("runj-malloc", &[]),
        ("runj-net", &["runj-faults", "runj-jail", "runj-spec"]),
        ("runj-runtime", &["runj-faults", "runj-jail", "runj-net", "runj-spec"]),
        ("runj-shim", &["runj-faults", "runj-jail", "runj-spec"]),
        ("runj-spec", &[]),
    ]);
    let metadata = metadata();
    for package in published(&metadata) {
        let used: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|used| used.kind == DependencyKind::Normal && used.path.is_some())
            .map(|used| used.name.as_str())
            .collect();
        let expected: BTreeSet<&str> = below[package.name.as_str()].iter().copied().collect();
        assert_eq!(used, expected, "{}", package.name);
    }
    assert_eq!(published(&metadata).count(), below.len());
}

#[test]
fn what_is_published_says_what_it_is() {
    for package in published(&metadata()) {
        let name = &package.name;
        assert!(package.description.is_some(), "{name}: description");
        assert!(package.license.is_some(), "{name}: license");
        assert!(package.documentation.is_some(), "{name}: documentation");
        assert!(!package.keywords.is_empty(), "{name}: keywords");
        assert!(!package.categories.is_empty(), "{name}: categories");
        let directory = package.manifest_path.parent().unwrap();
        assert!(directory.join("LICENSE").exists(), "{name}: LICENSE");
        let readme = fs::read_to_string(package.readme().unwrap()).unwrap();
        let mut features = package.features.keys().filter(|name| *name != "default");
        assert!(features.all(|feature| readme.contains(feature.as_str())), "{name}: features");
        assert!(!package.features.is_empty() || readme.contains("no features"), "{name}: features");
    }
}
