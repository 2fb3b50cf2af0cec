//! How far it is.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, and nothing elsewhere, for bytes of which `start` are there and `missing`
/// are to come.
pub(crate) fn bar(start: u64, missing: Option<u64>) -> ProgressBar {
    let bar = match missing {
        Some(missing) => ProgressBar::new(start + missing),
        None => ProgressBar::no_length(),
    };
    let template = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(start);
    bar.reset_eta();
    bar
}
