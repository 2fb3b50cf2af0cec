//! The pages, which travel to other machines with the tests.

use std::fs;

use crate::book;
use crate::page::Page;

macro_rules! pages {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../", $path)))),+]
    };
}

/// All pages that people read, from the root of the workspace.
const PAGES: &[(&str, &str)] = pages![
    "README.md",
    "SECURITY.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/SUMMARY.md",
    "docs/configuration.md",
    "docs/containerd.md",
    "docs/coverage.md",
    "docs/development-host.md",
    "docs/embedding.md",
    "docs/first-container.md",
    "docs/freebsd.md",
    "docs/from-go-runj.md",
    "docs/from-ocijail.md",
    "docs/kubernetes.md",
    "docs/networking.md",
    "docs/performance.md",
    "docs/podman.md",
    "docs/quickstart.md",
    "docs/robustness.md",
    "docs/security.md",
    "docs/troubleshooting.md",
    "docs/verified.md",
];

/// All of them: as they are where the sources are, and elsewhere as they were when the tests were
/// built.
pub(crate) fn all() -> Vec<Page> {
    let root = book::workspace();
    let page = |(path, built): &(&'static str, &str)| match &root {
        Some(root) => Page::parse(path, &fs::read_to_string(root.join(path)).expect(path)),
        None => Page::parse(path, built),
    };
    PAGES.iter().map(page).collect()
}
