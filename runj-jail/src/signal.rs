//! Signals by number or name.

use std::fmt;
use std::str::FromStr;

/// A signal, by its number on this host; FreeBSD's and Linux's numbers differ (signal(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

/// A text that names no signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a signal: expected a number from 1 to {LAST} or a name such as TERM or SIGTERM"
)]
pub struct BadSignal(String);

/// The last signal that kill(2) takes.
const LAST: i32 = if cfg!(target_os = "freebsd") { 128 } else { 64 };

impl Signal {
    /// Ends a process at once.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// Stops a process until it gets [`CONT`](Self::CONT).
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// Lets a stopped process go on.
    pub const CONT: Self = Self(libc::SIGCONT);
    /// Asks a process to end.
    pub const TERM: Self = Self(libc::SIGTERM);

    /// The number as kill(2) takes it.
    #[must_use]
    pub fn as_raw(self) -> i32 {
        self.0
    }
}

impl FromStr for Signal {
    type Err = BadSignal;

    /// Reads a number (`9`) or a name in any case, with or without `SIG` (`KILL`, `sigkill`).
    fn from_str(text: &str) -> Result<Self, BadSignal> {
        let bad = || BadSignal(text.to_owned());
        if let Ok(number) = text.parse::<i32>() {
            return if (1..=LAST).contains(&number) { Ok(Self(number)) } else { Err(bad()) };
        }
        let upper = text.to_ascii_uppercase();
        let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
        name.parse::<nix::sys::signal::Signal>()
            .map(|signal| Self(signal as i32))
            .map_err(|_| bad())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match nix::sys::signal::Signal::try_from(self.0) {
            Ok(signal) => f.write_str(signal.as_str()),
            Err(_) => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for text in ["KILL", "SIGKILL", "kill", "sigkill", "9"] {
            assert_eq!(text.parse::<Signal>().unwrap(), Signal::KILL);
        }
        assert_eq!("USR1".parse::<Signal>().unwrap().as_raw(), libc::SIGUSR1);
        assert_eq!(LAST.to_string().parse::<Signal>().unwrap().as_raw(), LAST);
        assert_eq!(Signal::TERM.to_string(), "SIGTERM");
    }

    #[test]
    fn what_is_no_signal() {
        for text in ["", "0", "-1", "129", "SIG", "SIGNOPE", "9x", "99999999999"] {
            assert!(text.parse::<Signal>().is_err(), "{text:?}");
        }
    }
}
