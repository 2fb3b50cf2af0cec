//! Telling of signals that arrive.

use nix::sys::signal::Signal;
use serde_json::json;
use signal_hook::iterator::Signals;

use crate::{say, sys};

/// Says which signals arrive, and the terminal's size with a SIGWINCH; ends with SIGTERM, with
/// status 7.
pub(crate) fn tell() {
    let caught = [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGWINCH,
    ];
    // With handlers: FreeBSD throws a SIGWINCH away that nobody handles, blocked or not.
    let mut signals = Signals::new(caught.map(|signal| signal as i32)).expect("signals");
    say(&json!({ "ready": true, "terminal": sys::terminal_size() }));
    for signal in signals.forever() {
        let signal = Signal::try_from(signal).expect("a signal");
        say(&json!({ "signal": signal.as_str(), "terminal": sys::terminal_size() }));
        if signal == Signal::SIGTERM {
            std::process::exit(7);
        }
    }
}
