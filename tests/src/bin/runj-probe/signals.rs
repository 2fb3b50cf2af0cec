//! Telling of signals that arrive.

use nix::sys::signal::{SigSet, Signal};
use serde_json::json;

use crate::{say, sys};

/// Says which signals arrive, and the terminal's size with a SIGWINCH; ends with SIGTERM, with
/// status 7.
pub(crate) fn tell() {
    let caught: SigSet = [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGWINCH,
    ]
    .into_iter()
    .collect();
    caught.thread_block().expect("signals");
    say(&json!({ "ready": true, "terminal": sys::terminal_size() }));
    loop {
        let signal = caught.wait().expect("a signal");
        say(&json!({ "signal": signal.as_str(), "terminal": sys::terminal_size() }));
        if signal == Signal::SIGTERM {
            std::process::exit(7);
        }
    }
}
