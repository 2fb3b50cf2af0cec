//! ARCHITECTURE.md is a map: what it names is there.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

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
