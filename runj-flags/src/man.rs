//! Man pages.

use roff::{Inline, Roff, bold, italic, roman};

use crate::Item;
use crate::command::{Definition, walk};
use crate::given::full_name;
use crate::help::{bracketed, items, said, usage};
use crate::item::Role;
use crate::text::{brief, paragraphs};

/// A man page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file's name, such as `runj-create.8`.
    pub file: String,
    /// In roff, with man(7)'s macros.
    pub text: String,
}

/// What the pages are of.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// The section of the manual.
    pub section: &'a str,
    /// The manual.
    pub manual: &'a str,
    /// The version.
    pub version: &'a str,
}

/// A page for the program and for each command of it.
pub fn man(program: &'static Definition, release: Release<'_>) -> Vec<Page> {
    let mut pages = Vec::new();
    walk(&[program], &mut |path| pages.push(page(path, release)));
    pages
}

/// `runj-config-show`
fn title(path: &[&'static Definition]) -> String {
    path.iter().map(|command| command.name).collect::<Vec<_>>().join("-")
}

fn page(path: &[&'static Definition], release: Release<'_>) -> Page {
    let about = path.last().map(|command| command.about).unwrap_or_default();
    let verbs = path.last().map(|command| command.verbs()).unwrap_or_default();
    let title = title(path);
    let source = format!("{} {}", path.first().map_or("", |program| program.name), release.version);
    let mut page = Roff::new();
    // Without a date, which an empty text would not be.
    page.control("TH", [title.as_str(), release.section, "\"\"", &source, release.manual]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{title} - {}", brief(about)))]);
    page.control("SH", ["SYNOPSIS"]);
    page.text(synopsis(path));
    page.control("SH", ["DESCRIPTION"]);
    for (index, paragraph) in paragraphs(about).into_iter().enumerate() {
        if index > 0 {
            page.control("PP", []);
        }
        page.text([roman(paragraph)]);
    }
    let items = items(path);
    let operands = items.iter().filter(|item| item.is_operand() && !item.hidden);
    let operands = operands.map(|item| (vec![italic(bracketed(item))], item));
    let flags = items.iter().filter(|item| item.is_flag() && !item.hidden);
    let flags = flags.map(|item| (flag(item), item));
    let entries = operands.chain(flags).map(|(name, item)| (name, said(item), item.choices));
    page.control("SH", ["OPTIONS"]);
    for (name, said, choices) in entries {
        page.control("TP", []);
        page.text(name);
        page.text([roman(said)]);
        for choice in choices.iter().filter(|choice| !choice.about.is_empty()) {
            page.control("br", []);
            page.text([bold(choice.word), roman(format!(": {}", brief(choice.about)))]);
        }
    }
    if !verbs.is_empty() {
        page.control("SH", ["COMMANDS"]);
        for verb in verbs {
            page.control("TP", []);
            let name = format!("{title}-{}", verb.name);
            page.text([bold(name), roman(format!("({})", release.section))]);
            page.text([roman(brief(verb.about))]);
        }
    }
    Page { file: format!("{title}.{}", release.section), text: page.render() }
}

fn synopsis(path: &[&'static Definition]) -> Vec<Inline> {
    let mut synopsis = vec![bold(full_name(path))];
    for word in usage(path) {
        synopsis.extend([roman(" "), italic(word)]);
    }
    synopsis
}

fn flag(item: &Item) -> Vec<Inline> {
    let mut flag = Vec::new();
    if let Some(letter) = item.short {
        flag.extend([bold(format!("-{letter}")), roman(", ")]);
    }
    flag.push(bold(format!("--{}", item.name)));
    match item.role {
        Role::Switch => {}
        Role::Attached(_) => {
            flag.extend([roman("[="), italic(item.value), roman("]")]);
        }
        _ => flag.extend([roman(" "), italic(item.value)]),
    }
    flag
}
