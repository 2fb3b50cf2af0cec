//! The book as a whole: nothing is missing in it, and nothing leads nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use runj_spec::Bundle;
use runj_tests::Sandbox;
use serde_json::Value;

use crate::mark::{Mark, Marked};
use crate::page::Page;
use crate::pages;

/// The root of the workspace, where this is it.
pub(crate) fn workspace() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    root.join("book.toml").exists().then(|| root.to_owned())
}

/// All chapters are in the table of contents, and each of these is one.
pub(crate) fn the_table_of_contents_is_whole() {
    let root = workspace().expect("the sources");
    let pages = pages::all();
    let files: BTreeSet<String> = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    let summary = pages.iter().find(|page| page.path == "docs/SUMMARY.md").unwrap();
    let chapters: Vec<_> = summary.links.iter().map(|(_, link)| link.clone()).collect();
    assert_eq!(chapters.iter().cloned().collect::<BTreeSet<_>>(), files, "docs/SUMMARY.md");
    assert_eq!(chapters.len(), files.len(), "docs/SUMMARY.md has a chapter twice");
    let known: BTreeSet<_> =
        pages.iter().filter_map(|page| page.path.strip_prefix("docs/")).collect();
    let missing: Vec<_> = files.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "tests/tests/docs/pages.rs does not have {missing:?}");
    // Those at the top of the sources are no chapters, and are pages all the same.
    for entry in fs::read_dir(root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = pages.iter().any(|page| page.path == name);
        assert!(known || !name.ends_with(".md"), "tests/tests/docs/pages.rs does not have {name}");
    }
}

/// Every link to a file or a heading finds one. The book has no files but its own.
pub(crate) fn links_lead_somewhere() {
    let root = workspace().expect("the sources");
    let pages = pages::all();
    let mut failures = Vec::new();
    for page in &pages {
        for (line, link) in &page.links {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let directory = Path::new(page.path).parent().unwrap();
            let target = if file.is_empty() {
                PathBuf::from(page.path)
            } else {
                resolved(&directory.join(file))
            };
            let place = format!("{}:{line}: {link}", page.path);
            if !root.join(&target).exists() {
                failures.push(format!("{place}: there is no such file"));
            }
            if page.path.starts_with("docs/") && !target.starts_with("docs") {
                failures.push(format!("{place}: the book does not have it"));
            }
            let on = pages.iter().find(|page| Path::new(page.path) == target);
            if !anchor.is_empty()
                && !on.is_some_and(|page| page.anchors.iter().any(|known| known == anchor))
            {
                failures.push(format!("{place}: there is no such heading"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The path without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::Normal(name) => resolved.push(name),
            _ => {}
        }
    }
    resolved
}

/// Every block of code says what it is, commands are run or have a reason not to be, and what is
/// JSON can be read.
pub(crate) fn blocks_say_what_they_are() {
    let mut failures = Vec::new();
    for page in pages::all() {
        for block in &page.blocks {
            let place = format!("{}:{}", page.path, block.line);
            match Marked::read(block) {
                Err(problem) => failures.push(format!("{place}: {problem}")),
                Ok(marked) if marked.language == "json" => {
                    if let Err(error) = serde_json::from_str::<Value>(&marked.text) {
                        failures.push(format!("{place}: {error}"));
                    }
                }
                Ok(_) => {}
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Nothing is wrong with the documents of bundles that pages show, wherever they were to be used.
pub(crate) fn documents_are_right(sandbox: &Sandbox<'_>) {
    let mut failures = Vec::new();
    for page in pages::all() {
        for block in &page.blocks {
            let Ok(Marked { mark: Mark::Document(file), text, .. }) = Marked::read(block) else {
                continue;
            };
            let bundle = sandbox.bundle();
            fs::write(bundle.dir().join(file), text).unwrap();
            if let Err(problem) = check(bundle.dir()) {
                failures.push(format!("{}:{}: {problem}", page.path, block.line));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// What the libraries find wrong with a bundle, which they do not ask the host about.
fn check(bundle: &Path) -> Result<(), Box<dyn Error>> {
    runj_net::plan(&Bundle::load(bundle)?.container()?.jail)?;
    Ok(())
}

/// The commands of runj in the running text, and those that are not run, have verbs and flags that
/// there are.
pub(crate) fn commands_have_verbs_and_flags_that_there_are(sandbox: &Sandbox<'_>) {
    expect_known("runj ", &["config", "demo"], |verbs| {
        let help = sandbox.runj(verbs).args(["--help"]).run();
        if help.code() == 0 { Ok(help.stdout()) } else { Err(help.stderr()) }
    });
}

/// So do those of `cargo xtask`.
pub(crate) fn chores_have_verbs_and_flags_that_there_are() {
    let xtask = runj_tests::build("xtask");
    expect_known("cargo xtask ", &["freebsd"], |verbs| {
        let output = Command::new(&xtask).args(verbs).arg("--help").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    });
}

/// Holds the commands that begin with `program` to its help, which `help` has for a verb. Those of
/// `parents` have verbs of their own.
fn expect_known(
    program: &str,
    parents: &[&str],
    help: impl Fn(&[String]) -> Result<String, String>,
) {
    let mut failures = Vec::new();
    let mut known = BTreeMap::new();
    for page in pages::all() {
        for (line, command) in commands(&page) {
            let Some(rest) = command.strip_prefix(program) else { continue };
            let words: Vec<_> = rest.split_whitespace().take_while(|word| *word != "--").collect();
            let depth = words.first().map_or(0, |word| 1 + usize::from(parents.contains(word)));
            let is_verb = |word: &&&str| {
                !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            };
            let verbs = words.iter().take_while(is_verb).take(depth);
            let verbs: Vec<_> = verbs.map(|word| (*word).to_owned()).collect();
            let place = format!("{}:{line}: {command}", page.path);
            match known.entry(verbs.clone()).or_insert_with(|| help(&verbs)) {
                Err(problem) => failures.push(format!("{place}: {problem}")),
                Ok(known) => {
                    for flag in words.iter().filter_map(|word| word.strip_prefix("--")) {
                        let is_of_name = |c: char| c.is_alphanumeric() || c == '-';
                        let name = flag.split(|c| !is_of_name(c)).next().unwrap();
                        if !known.contains(&format!("--{name}")) {
                            failures.push(format!("{place}: there is no --{name}"));
                        }
                    }
                }
            }
        }
    }
    assert!(known.len() > 3, "no commands of {program:?}are found");
    assert!(failures.is_empty(), "{failures:#?}");
}

/// What is code on one line, or a line of commands that are not run.
fn commands(page: &Page) -> Vec<(usize, String)> {
    let mut commands = page.code.clone();
    for block in &page.blocks {
        if matches!(Marked::read(block), Ok(Marked { mark: Mark::NotRun, .. })) {
            let lines = block.text.lines().map(|text| (block.line, text.trim().to_owned()));
            commands.extend(lines);
        }
    }
    commands
}
