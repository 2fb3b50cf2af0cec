//! A process of the container: its first one, or one of Exec's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

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
    held: Mutex<Held>,
}

impl Process {
    pub(crate) fn new(stdio: Stdio, state: State, held: Held) -> Self {
        let (state, _) = watch::channel(state);
        Self { stdio, turn: tokio::sync::Mutex::default(), state, held: Mutex::new(held) }
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

    /// What is held on its behalf.
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
