//! The shim's log: the bundle's fifo `log`, from which containerd copies it into its own.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

/// Logs to the bundle's fifo. Nothing is lost when nobody reads it but what is logged.
pub(crate) fn start(bundle: &Path, debug: bool) {
    let level = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    // Neither opening it nor writing to it must wait for a containerd that is gone.
    let fifo =
        OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(bundle.join("log"));
    let Ok(fifo) = fifo else { return };
    let log = Log { fifo: Mutex::new(fifo) };
    // Called once, so there is no other subscriber yet.
    let _ =
        tracing::subscriber::set_global_default(Registry::default().with(log.with_filter(level)));
}

struct Log {
    fifo: Mutex<File>,
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        };
        let line = line(level, &message, Timestamp::now());
        // There is nobody to tell that the log cannot be written.
        if let Ok(mut fifo) = self.fifo.lock() {
            let _ = fifo.write_all(line.as_bytes());
        }
    }
}

/// A line as containerd's own shims write it (logrus's text form).
fn line(level: &str, message: &Message, time: Timestamp) -> String {
    let Message { message, fields } = message;
    format!("time=\"{time}\" level={level} msg={message:?}{fields}\n")
}

/// The message of an event, and its other fields.
#[derive(Default)]
struct Message {
    message: String,
    fields: String,
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={:?}", format!("{value:?}")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_logrus() {
        let time = "2026-11-23T12:00:00Z".parse().unwrap();
        let message = Message { message: "no \"x\"\ny".into(), fields: " id=\"a\"".into() };
        assert_eq!(
            line("error", &message, time),
            "time=\"2026-11-23T12:00:00Z\" level=error msg=\"no \\\"x\\\"\\ny\" id=\"a\"\n"
        );
    }
}
