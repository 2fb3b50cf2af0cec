//! The log, in the forms that engines read from runc.

use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;
use std::time::SystemTime;

use anyhow::{Context as _, Error};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::flags::{Flags, LogFormat};

/// Logs from here on: warnings to --log, with --debug everything, and nothing where neither is
/// given, since standard error is for the error that a command ends with.
pub(crate) fn start(flags: &Flags) -> Result<(), Error> {
    let output: Box<dyn Write + Send> = match &flags.log {
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            Box::new(file.with_context(|| format!("--log: {path:?}"))?)
        }
        None if flags.debug => Box::new(std::io::stderr()),
        None => return Ok(()),
    };
    let level = if flags.debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let log = Log { output: Mutex::new(output), format: flags.log_format, level };
    tracing::subscriber::set_global_default(log).context("--log")
}

/// The log has events alone: what runj does takes no time of which spans would tell.
struct Log {
    output: Mutex<Box<dyn Write + Send>>,
    format: LogFormat,
    level: LevelFilter,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        };
        let line = line(self.format, level, &message.text(), runj_runtime::now());
        // There is nobody to tell that the log cannot be written.
        if let Ok(mut output) = self.output.lock() {
            let _ = output.write_all(line.as_bytes());
        }
    }

    // None of these is called, as no span is enabled.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn line(format: LogFormat, level: &str, message: &str, time: SystemTime) -> String {
    let time = humantime::format_rfc3339(time);
    match format {
        LogFormat::Text => format!("time=\"{time}\" level={level} msg={message:?}\n"),
        LogFormat::Json => {
            let time = time.to_string();
            format!("{}\n", serde_json::json!({ "level": level, "msg": message, "time": time }))
        }
    }
}

/// The message of an event, and its other fields behind it.
#[derive(Default)]
struct Message {
    message: String,
    fields: String,
}

impl Message {
    fn text(&self) -> String {
        format!("{}{}", self.message, self.fields)
    }
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_engines_read_from_runc() {
        let time = humantime::parse_rfc3339("2026-11-23T12:00:00Z").unwrap();
        assert_eq!(
            line(LogFormat::Text, "error", "no \"x\"", time),
            "time=\"2026-11-23T12:00:00Z\" level=error msg=\"no \\\"x\\\"\"\n"
        );
        let json = line(LogFormat::Json, "warning", "a\nb", time);
        assert_eq!(json.lines().count(), 1);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["level"], "warning");
        assert_eq!(json["msg"], "a\nb");
        assert_eq!(json["time"], "2026-11-23T12:00:00Z");
    }
}
