//! The colours of what people read, and the look of its tables.

use std::io::{self, StdoutLock, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use tabwriter::TabWriter;

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Standard output for people. It leaves colours out where nobody sees them: not on a terminal or
/// on a dumb one, with NO_COLOR (<https://no-color.org>), or with CLICOLOR=0
/// (<https://bixense.com/clicolors/>). What programs read does not go through it.
pub(crate) fn stdout() -> AutoStream<StdoutLock<'static>> {
    anstream::stdout().lock()
}

/// Begins a table of that layout with its headings. Colours take no room in it.
pub(crate) fn table<W: Write, const COLUMNS: usize>(
    layout: TabWriter<W>,
    headings: [&str; COLUMNS],
) -> io::Result<TabWriter<W>> {
    let mut table = layout.ansi(true);
    writeln!(table, "{}", headings.map(|name| format!("{HEADING}{name}{HEADING:#}")).join("\t"))?;
    Ok(table)
}
