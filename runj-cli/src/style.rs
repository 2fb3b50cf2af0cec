//! The colours of what people read. Whoever prints with them does it by anstream, which leaves them
//! out where nobody sees colours: not on a terminal, or with NO_COLOR set.

use anstyle::{AnsiColor, Style};

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
