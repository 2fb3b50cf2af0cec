//! `runj man`

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use clap::{Command, CommandFactory as _};

use crate::flags::{Flags, Man};

/// System administration, as jail(8).
const SECTION: &str = "8";
/// Of the two lines of --version that engines read, the part that is a version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(man: &Man) -> Result<ExitCode, Error> {
    for page in pages()? {
        let path = man.dir.join(&page.file);
        fs::write(&path, &page.text).with_context(|| format!("{path:?}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A man page.
struct Page {
    file: String,
    text: Vec<u8>,
}

fn pages() -> Result<Vec<Page>, Error> {
    let mut command = Flags::command();
    // Fills in what verbs have from what they belong to: their full names, the flags of all.
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages)?;
    Ok(pages)
}

/// Adds the page of a command, and those of the verbs that it has.
fn add(command: &Command, pages: &mut Vec<Page>) -> Result<(), Error> {
    let page = clap_mangen::Man::new(command.clone().version(VERSION))
        .section(SECTION)
        .source(format!("runj {VERSION}"))
        .manual("FreeBSD System Manager's Manual");
    let mut text = Vec::new();
    page.render(&mut text)?;
    pages.push(Page { file: page.get_filename(), text });
    command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .try_for_each(|verb| add(verb, pages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::{long_flags, verbs};

    #[test]
    fn every_verb_and_flag_is_in_them() {
        let pages = pages().unwrap();
        assert_eq!(pages.len(), verbs().len());
        for verb in verbs() {
            let name = verb.get_display_name().unwrap_or_else(|| verb.get_name());
            let page = pages.iter().find(|page| page.file == format!("{name}.8"));
            let text = String::from_utf8(page.expect(name).text.clone()).unwrap();
            for flag in long_flags(&verb) {
                let flag = flag.replace('-', "\\-");
                assert!(text.contains(&format!("\\-\\-{flag}")), "{name} --{flag}: {text}");
            }
        }
    }
}
