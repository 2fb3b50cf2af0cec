//! What becomes of a block of code in the tests: the words behind its language.
//!
//! | words | |
//! |---|---|
//! | `run` | the commands are run with the real `runj`, as root, in a directory of the page's own |
//! | `run=containerd` | the same with a containerd of their own, whose image `$IMAGE` is |
//! | `run=podman` | the same with a podman |
//! | `run=cargo` | in the root of the workspace, where there is a cargo |
//! | `only=linux`, `only=freebsd` | on that host alone |
//! | `linux:OLD=NEW` | on Linux, the text has NEW for OLD |
//! | `not-run="REASON"` | the commands are not run |
//! | `output` | what the block of commands before it writes, where `...` stands for anything |
//! | `file=PATH` | the file that the commands behind it find |
//! | `extension`, `config` | a whole runj.ext.json or config.json, which has to be a right one |
//!
//! A block in the language `sh` has commands to copy; all have to succeed. One in the language
//! `console` has commands behind the prompt `# `, and below each what it writes; one that shows an
//! error of runj's or ctr's has to fail, the others to succeed.

use crate::page::Block;

/// What to do with a block.
#[derive(Debug, PartialEq)]
pub(crate) enum Mark {
    /// To run it, with these.
    Run(With),
    /// Not to, for a reason.
    NotRun,
    /// To compare it with what the block before it wrote.
    Output,
    /// To write it to a file of that path.
    File(String),
    /// To have runj check it as this file of a bundle.
    Document(&'static str),
    /// Nothing: nobody runs it.
    Shown,
}

/// What commands are run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum With {
    Runj,
    Containerd,
    Podman,
    Cargo,
}

/// A block with its mark.
#[derive(Debug)]
pub(crate) struct Marked {
    pub(crate) language: String,
    pub(crate) mark: Mark,
    /// Whether it is for the host at hand.
    pub(crate) here: bool,
    /// Its text as it is for the host at hand.
    pub(crate) text: String,
}

impl Marked {
    /// Reads what stands behind the fence; otherwise, what is wrong with it.
    pub(crate) fn read(block: &Block) -> Result<Self, String> {
        let info = block.info.as_ref().ok_or("it has no fence that says what it is")?;
        let mut words = shlex::split(info).ok_or("a quote is missing")?.into_iter();
        let language = words.next().ok_or("it does not say what language it is in")?;
        // Behind a comma are words for rustdoc.
        let language = language.split(',').next().unwrap_or_default().to_owned();
        let mut marks = Vec::new();
        let (mut here, mut text) = (true, block.text.clone());
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((&word, ""));
            match (name, value) {
                ("run", "") => marks.push(Mark::Run(With::Runj)),
                ("run", "containerd") => marks.push(Mark::Run(With::Containerd)),
                ("run", "podman") => marks.push(Mark::Run(With::Podman)),
                ("run", "cargo") => marks.push(Mark::Run(With::Cargo)),
                ("not-run", reason) if reason.len() > 10 => marks.push(Mark::NotRun),
                ("output", "") => marks.push(Mark::Output),
                ("file", path) if !path.is_empty() => marks.push(Mark::File(path.to_owned())),
                ("extension", "") => marks.push(Mark::Document("runj.ext.json")),
                ("config", "") => marks.push(Mark::Document("config.json")),
                ("only", host @ ("linux" | "freebsd")) => here = host == std::env::consts::OS,
                (name, new) if name.starts_with("linux:") => {
                    let old = name.trim_start_matches("linux:");
                    if !text.contains(old) {
                        return Err(format!("there is no {old} in it"));
                    }
                    if cfg!(target_os = "linux") {
                        text = text.replace(old, new);
                    }
                }
                _ => return Err(format!("{word:?} is no mark")),
            }
        }
        if marks.len() > 1 {
            return Err(format!("{marks:?} exclude each other"));
        }
        let mark = marks.pop().unwrap_or(Mark::Shown);
        let commands = language == "sh" || language == "console";
        match mark {
            Mark::Shown if commands => {
                Err("commands are run by a test, or have a reason not to be".to_owned())
            }
            Mark::Run(_) | Mark::NotRun if !commands => Err("these are no commands".to_owned()),
            mark => Ok(Self { language, mark, here, text }),
        }
    }
}
