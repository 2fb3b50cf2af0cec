//! The texts of licences, which have to go with the programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::Package;

use super::crates::licence;
use crate::run::read;

/// How the files begin in which crates have them.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// Where we have those of crates that came without, a file for each.
const OURS: &str = "dist/licences";

/// A page with the licences of these crates: what each is under, and every text once.
///
/// # Errors
/// A crate has no text, and is named.
pub(super) fn text(crates: &[&Package]) -> Result<String> {
    let mut page = String::from(
        "The programs of this archive have these crates in them, each under the licence beside it.\n\
         The texts are below. rust-standard-library.html and freebsd.txt are about the rest of what\n\
         is in them.\n\n",
    );
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in crates {
        writeln!(page, "{} {}: {}", package.name, package.version, licence(package)?)?;
        let directory = package.manifest_path.parent().context("a manifest is in a directory")?;
        let mut found = texts_in(directory.as_std_path())?;
        let ours = format!("{OURS}/{}.txt", package.name);
        if found.is_empty()
            && let Ok(text) = fs::read_to_string(&ours)
        {
            found.insert(ours, text.trim_end().to_owned());
        }
        ensure!(
            !found.is_empty(),
            "{} {}: there is no text of its licence in {directory}, nor in {OURS}",
            package.name,
            package.version
        );
        for (file, text) in found {
            let whose = format!("{} {} ({file})", package.name, package.version);
            texts.entry(text).or_default().push(whose);
        }
    }
    // By whose they are, so that one that changes does not move the others.
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by(|a, b| a.1.cmp(&b.1));
    for (text, whose) in texts {
        write!(page, "\n{}\n{}\n\n{text}\n", "=".repeat(80), whose.join("\n"))?;
    }
    Ok(page)
}

/// The files of a crate's directory that have a licence, by name.
fn texts_in(directory: &Path) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let upper = name.to_uppercase();
        if entry.path().is_file() && NAMES.iter().any(|begin| upper.starts_with(begin)) {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).replace("\r\n", "\n");
            texts.insert(name, text.trim_end().to_owned());
        }
    }
    Ok(texts)
}

/// The version of the toolchain, and the page with which it tells the licences of its standard
/// library.
///
/// # Errors
/// The toolchain has no such page.
pub(super) fn of_standard_library() -> Result<(String, Vec<u8>)> {
    let sysroot = read(Command::new("rustc").args(["--print", "sysroot"]))?;
    let page = Path::new(sysroot.trim_end()).join("share/doc/rust/COPYRIGHT-library.html");
    let page = fs::read(&page).with_context(|| {
        format!("{}: the toolchain's licences, which rustup installs", page.display())
    })?;
    let version = read(Command::new("rustc").arg("--version"))?;
    let version = version.split(' ').nth(1).context("rustc does not tell its version")?;
    Ok((version.to_owned(), page))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A crate with these files.
    fn package(directory: &Path, files: &[(&str, &str)]) -> Package {
        for (name, text) in files {
            fs::write(directory.join(name), text).unwrap();
        }
        let name = directory.file_name().unwrap().to_str().unwrap();
        serde_json::from_value(json!({
            "name": name,
            "version": "1.0.0",
            "id": name,
            "license": "MIT/Apache-2.0",
            "dependencies": [],
            "targets": [],
            "features": {},
            "manifest_path": directory.join("Cargo.toml"),
        }))
        .unwrap()
    }

    #[test]
    fn each_text_is_there_once_with_all_whose_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| directory.path().join(name));
        for path in [&a, &b] {
            fs::create_dir(path).unwrap();
        }
        let a = package(&a, &[("LICENSE-MIT", "same\n"), ("README", "no licence")]);
        let b = package(&b, &[("license", "same"), ("NOTICE.txt", "other")]);
        let page = text(&[&a, &b]).unwrap();
        assert!(
            page.contains("\na 1.0.0: MIT OR Apache-2.0\nb 1.0.0: MIT OR Apache-2.0\n"),
            "{page}"
        );
        assert!(page.contains("\na 1.0.0 (LICENSE-MIT)\nb 1.0.0 (license)\n\nsame\n"), "{page}");
        assert!(page.contains("\nb 1.0.0 (NOTICE.txt)\n\nother\n"), "{page}");
        assert!(!page.contains("no licence"), "{page}");
    }

    #[test]
    fn a_crate_without_a_text_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let bare = directory.path().join("bare");
        fs::create_dir(&bare).unwrap();
        let error = text(&[&package(&bare, &[])]).unwrap_err().to_string();
        assert!(error.starts_with("bare 1.0.0: there is no text of its licence"), "{error}");
    }
}
