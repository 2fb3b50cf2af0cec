//! A process of the container: its first one, or one of Exec's.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;
use crate::exit::Exit;
use crate::io::{Held, Stdio};

/// How far a process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Exec has described it; it does not exist yet.
    Added,
    /// It waits to be started.
    Created {
        pid: i32,
    },
    Running {
        pid: i32,
    },
    /// It has ended. One that could not be started has no pid.
    Stopped {
        pid: Option<i32>,
        exit: Exit,
    },
}

impl State {
    pub(crate) fn pid(self) -> Option<i32> {
        match self {
            Self::Added => None,
            Self::Created { pid } | Self::Running { pid } => Some(pid),
            Self::Stopped { pid, .. } => pid,
        }
    }

    /// The pid as messages have it: 0 for none.
    pub(crate) fn raw_pid(self) -> u32 {
        self.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default()
    }

    /// In a word, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Created { .. } => "created",
            Self::Running { .. } => "running",
            Self::Stopped { .. } => "stopped",
        }
    }
}

/// A process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) stdio: Stdio,
    /// Held by whoever changes the process's state, from the deed to the event that tells of it:
    /// so no event overtakes another.
    pub(crate) turn: tokio::sync::Mutex<()>,
    state: watch::Sender<State>,
    streams: Mutex<Streams>,
}

/// What the shim has of a process's streams, and what it was asked to do with them.
#[derive(Debug, Default)]
struct Streams {
    held: Held,
    /// Standard input may end.
    closed: bool,
    /// The size that the terminal is to have, in characters: columns and rows.
    size: Option<(u32, u32)>,
}

impl Process {
    pub(crate) fn new(stdio: Stdio, state: State, held: Held) -> Self {
        let (state, _) = watch::channel(state);
        let streams = Mutex::new(Streams { held, ..Streams::default() });
        Self { stdio, turn: tokio::sync::Mutex::default(), state, streams }
    }

    pub(crate) fn state(&self) -> State {
        *self.state.borrow()
    }

    pub(crate) fn set_state(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Waits for its end, which may have come.
    pub(crate) async fn end(&self) -> Exit {
        let mut states = self.state.subscribe();
        loop {
            if let State::Stopped { exit, .. } = *states.borrow_and_update() {
                return exit;
            }
            if states.changed().await.is_err() {
                // Not while we have the process.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes over what is held on its behalf. A process runs, and its client may have asked for
    /// this or that, before it comes to this.
    pub(crate) fn hold(&self, mut held: Held) -> Result<(), Error> {
        let mut streams = self.streams();
        if streams.closed {
            held.close_stdin();
        }
        let size = streams.size.take();
        streams.held = held;
        size.map_or(Ok(()), |(columns, rows)| streams.held.resize(columns, rows))
    }

    /// Lets its standard input end once its client has left.
    pub(crate) fn close_stdin(&self) {
        let mut streams = self.streams();
        streams.closed = true;
        streams.held.close_stdin();
    }

    /// Changes the size of its terminal, in characters, now or when it has one.
    pub(crate) fn resize(&self, columns: u32, rows: u32) -> Result<(), Error> {
        let mut streams = self.streams();
        streams.size = Some((columns, rows));
        streams.held.resize(columns, rows)
    }

    /// Tells what is held that the process has ended.
    pub(crate) fn let_end(&self) {
        self.streams().held.ended();
    }

    /// Lets go of its streams, as [`Held::finish`] does.
    pub(crate) async fn release(&self, limit: Duration) {
        let held = mem::take(&mut self.streams().held);
        held.finish(limit).await;
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
