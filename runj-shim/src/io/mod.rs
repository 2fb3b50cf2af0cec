//! Standard streams, and what the shim holds of them.
//!
//! A process gets the very descriptors of its fifos, files and loggers: no byte of theirs passes
//! through the shim, so none is lost with it, and none waits in it. Only a terminal is copied, to
//! the fifo, file or logger that is to have what it shows.
//!
//! What the shim holds makes a fifo outlive its clients. As long as somebody could write to a
//! fifo, its reader does not see its end: the shim keeps a process's standard input open until
//! CloseIO. And as long as somebody could read from one, nobody gets SIGPIPE from it: the shim
//! keeps the reading ends of its output until it is deleted, and a process whose client has gone
//! only waits once the fifo is full, until another client comes.

mod binary;
mod fifo;
mod file;
mod terminal;

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use self::binary::Logger;
pub(crate) use self::terminal::ConsoleSocket;
use self::terminal::Terminal;
use crate::error::Error;
use crate::identity::Identity;
use crate::reaper::Reaper;
use crate::runj::Streams;

/// Where a process's standard streams lead: paths of fifos, URIs, or nothing.
#[derive(Clone, Debug)]
pub(crate) struct Stdio {
    pub(crate) stdin: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) terminal: bool,
}

/// What the shim holds for a process.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The writing end of its standard input.
    stdin: Option<OwnedFd>,
    /// The reading ends of its output.
    readers: Vec<OwnedFd>,
    logger: Option<Logger>,
    terminal: Option<Terminal>,
}

/// The streams, opened, before the process exists.
#[derive(Debug)]
pub(crate) struct Opened {
    held: Held,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    /// Where the process's terminal is to come from.
    console: Option<ConsoleSocket>,
}

/// One end to write to, and what is to be held for it.
struct Sink {
    writer: OwnedFd,
    reader: Option<OwnedFd>,
}

impl Stdio {
    /// Opens the streams. `console` is where a terminal is expected, if there is to be one.
    pub(crate) async fn open(
        &self,
        console: Option<ConsoleSocket>,
        identity: &Identity,
        reaper: &Reaper,
    ) -> Result<Opened, Error> {
        let mut held = Held::default();
        let stdin = if self.stdin.is_empty() {
            null()?
        } else {
            let (reader, writer) = fifo::input(Path::new(&self.stdin))?;
            held.stdin = Some(writer);
            reader
        };
        let stderr = if self.terminal { "" } else { &self.stderr };
        let (stdout, stderr) = if let Some(uri) = self.stdout.strip_prefix("binary://") {
            // It gets both, as containerd's own shim does it.
            let (logger, stdout, stderr) = Logger::start(uri, identity, reaper).await?;
            held.logger = Some(logger);
            (Sink { writer: stdout, reader: None }, Sink { writer: stderr, reader: None })
        } else {
            (output(&self.stdout)?, output(stderr)?)
        };
        held.readers.extend([stdout.reader, stderr.reader].into_iter().flatten());
        Ok(Opened { held, stdin, stdout: stdout.writer, stderr: stderr.writer, console })
    }
}

impl Opened {
    /// What `runj` is to give the process.
    pub(crate) fn streams(self) -> Result<(Streams, Attached), Error> {
        match self.console {
            None => {
                let Self { held, stdin, stdout, stderr, .. } = self;
                Ok((Streams::Three { stdin, stdout, stderr }, Attached::Done(held)))
            }
            Some(console) => {
                let streams = Streams::Terminal { console_socket: console.path().to_owned() };
                let Self { held, stdin, stdout, .. } = self;
                Ok((streams, Attached::Awaited { held, console, stdin, stdout }))
            }
        }
    }
}

/// What remains to be done once the process exists.
#[derive(Debug)]
pub(crate) enum Attached {
    Done(Held),
    /// Its terminal has to be fetched.
    Awaited {
        held: Held,
        console: ConsoleSocket,
        stdin: OwnedFd,
        stdout: OwnedFd,
    },
}

impl Attached {
    /// Does it, when `runj` has succeeded.
    pub(crate) fn finish(self) -> Result<Held, Error> {
        match self {
            Self::Done(held) => Ok(held),
            Self::Awaited { mut held, console, stdin, stdout } => {
                let terminal = console.take().map_err(Error::io("the terminal"))?;
                let terminal = Terminal::start(terminal, stdin, stdout);
                held.terminal = Some(terminal.map_err(Error::io("the terminal"))?);
                Ok(held)
            }
        }
    }
}

impl Held {
    /// Lets the process's standard input end once its client has left.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Changes the size of its terminal, in characters.
    pub(crate) fn resize(&self, columns: u32, rows: u32) -> Result<(), Error> {
        match &self.terminal {
            Some(terminal) => {
                terminal.resize(columns, rows).map_err(Error::io("resizing the terminal"))
            }
            None => Ok(()),
        }
    }

    /// Tells that the process has ended: what its terminal still shows is the last of it.
    pub(crate) fn ended(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.ended();
        }
    }

    /// Lets go of everything, after what is in flight has arrived; but no client is waited for
    /// longer than `limit`.
    pub(crate) async fn finish(self, limit: Duration) {
        if let Some(terminal) = self.terminal {
            terminal.finish(limit).await;
        }
        if let Some(logger) = self.logger {
            logger.finish(limit).await;
        }
    }
}

fn output(uri: &str) -> Result<Sink, Error> {
    if uri.is_empty() {
        return Ok(Sink { writer: null()?, reader: None });
    }
    if let Some(uri) = uri.strip_prefix("file://") {
        return Ok(Sink { writer: file::append(uri)?, reader: None });
    }
    if let Some((scheme, _)) = uri.split_once("://").filter(|(scheme, _)| !scheme.contains('/')) {
        return Err(Error::Unusable {
            place: "stdout or stderr".into(),
            value: format!("{uri:?}"),
            reason: format!(
                "runj does not know {scheme}: expected the path of a fifo, file:// or, for both, binary://"
            ),
        });
    }
    let (writer, reader) = fifo::output(Path::new(uri))?;
    Ok(Sink { writer, reader: Some(reader) })
}

fn null() -> Result<OwnedFd, Error> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    Ok(null.map_err(Error::io("/dev/null"))?.into())
}
