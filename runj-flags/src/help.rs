//! The help.

use std::fmt::Write as _;
use std::io;

use textwrap::{Options, WordSplitter};

use crate::Item;
use crate::choice::words;
use crate::command::Definition;
use crate::given::full_name;
use crate::item::{HELP, Role, VERSION};
use crate::text::{brief, paragraphs};

/// The help of the last of `path`, to which the others lead, for as many columns as the terminal at
/// standard output has, or a hundred.
pub fn help(path: &[&'static Definition]) -> String {
    to_columns(path, columns())
}

fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    // A serial console does not know.
    let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    columns.unwrap_or(100).clamp(40, 100)
}

/// Between words alone: `0-2,5` is one.
fn wrapping<'a>(columns: usize) -> Options<'a> {
    Options::new(columns).word_splitter(WordSplitter::NoHyphenation)
}

fn to_columns(path: &[&'static Definition], columns: usize) -> String {
    let Some(command) = path.last() else { return String::new() };
    let mut help = String::new();
    for paragraph in paragraphs(command.about) {
        help.push_str(&textwrap::fill(&paragraph, wrapping(columns)));
        help.push_str("\n\n");
    }
    let usage = format!("Usage: {} {}", full_name(path), usage(path).join(" "));
    help.push_str(&textwrap::fill(&usage, wrapping(columns).subsequent_indent("           ")));
    help.push('\n');
    let items = items(path);
    let verbs = command.verbs().iter();
    let verbs = verbs.map(|verb| (verb.name.to_owned(), brief(verb.about))).collect();
    let operands = items.iter().filter(|item| item.is_operand() && !item.hidden);
    let operands = operands.map(|item| (bracketed(item), said(item))).collect();
    let flags = items.iter().filter(|item| item.is_flag() && !item.hidden);
    let flags: Vec<_> = flags.map(|item| (flag(item), said(item))).collect();
    for (heading, entries) in [("Commands", verbs), ("Arguments", operands), ("Options", flags)] {
        list(&mut help, heading, &entries, columns);
    }
    help
}

/// What may be given to the last command of `path`, that of the others which may follow it among
/// it, in the order of the help.
pub(crate) fn items(path: &[&'static Definition]) -> Vec<&'static Item> {
    let Some((command, before)) = path.split_last() else { return Vec::new() };
    let mut items = command.items();
    for command in before {
        items.extend(command.items().into_iter().filter(|item| item.everywhere));
    }
    items.push(&HELP);
    if before.is_empty() {
        items.push(&VERSION);
    }
    items
}

/// What may follow the names of the commands, in words: `[OPTIONS]`, `<CONTAINER>`, `[COMMAND]...`
pub(crate) fn usage(path: &[&'static Definition]) -> Vec<String> {
    let items = items(path);
    let mut usage = vec!["[OPTIONS]".to_owned()];
    let needed =
        items.iter().filter(|item| matches!(item.role, Role::Value) && item.default.is_none());
    usage.extend(needed.map(|item| format!("{} <{}>", item.shown(), item.value)));
    usage.extend(items.iter().filter(|item| item.is_operand()).map(|item| bracketed(item)));
    if path.last().is_some_and(|command| !command.verbs().is_empty()) {
        usage.push("<COMMAND>".to_owned());
    }
    usage
}

/// An operand: in pointed brackets it has to be given.
pub(crate) fn bracketed(item: &Item) -> String {
    match item.role {
        Role::Trailing => format!("[{}]...", item.name),
        Role::Operand if item.default.is_none() => format!("<{}>", item.name),
        _ => format!("[{}]", item.name),
    }
}

fn flag(item: &Item) -> String {
    let short = item.short.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
    let value = match item.role {
        Role::Switch => String::new(),
        Role::Attached(_) => format!("[={}]", item.value),
        _ => format!(" <{}>", item.value),
    };
    format!("{short}--{}{value}", item.name)
}

/// What it is for, what holds without it, and what it may be.
pub(crate) fn said(item: &Item) -> String {
    let mut said = paragraphs(item.about).join(" ");
    if let Some(default) = item.default {
        let _ = write!(said, " [default: {default}]");
    }
    if !item.choices.is_empty() {
        let _ = write!(said, " [possible values: {}]", words(item.choices, ", "));
    }
    said
}

/// Two columns: the names, and what they mean.
fn list(help: &mut String, heading: &str, entries: &[(String, String)], columns: usize) {
    const WIDEST: usize = 34;
    if entries.is_empty() {
        return;
    }
    let widths = entries.iter().map(|(name, _)| name.len() + 4);
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(WIDEST);
    let indent = " ".repeat(width);
    let _ = writeln!(help, "\n{heading}:");
    for (name, said) in entries {
        let options = wrapping(columns).initial_indent(&indent).subsequent_indent(&indent);
        let text = textwrap::fill(said, options);
        let name = format!("  {name}");
        if name.len() + 2 <= width {
            let _ = writeln!(help, "{name:width$}{}", text.trim_start());
        } else {
            let _ = writeln!(help, "{name}\n{text}");
        }
    }
}
