//! The shim itself: one container, from containerd's first word about it to its last.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::address;
use crate::bundle::Bundle;
use crate::error::Error;
use crate::events::Events;
use crate::identity::Identity;
use crate::io::{ConsoleSocket, Stdio};
use crate::process::State;
use crate::reaper::Reaper;
use crate::task::Task;

/// How long a shim that has nothing to do stays when nobody asks anything of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the calls of the task service share.
#[derive(Debug)]
pub(crate) struct Shim {
    pub(crate) identity: Identity,
    pub(crate) bundle: Bundle,
    pub(crate) reaper: Reaper,
    pub(crate) events: Events,
    /// Where the shim listens.
    pub(crate) socket: PathBuf,
    /// Held by Create: there is one container.
    pub(crate) creation: tokio::sync::Mutex<()>,
    task: Mutex<Option<Arc<Task>>>,
    heard: Mutex<Instant>,
    /// Told when the shim is to end.
    pub(crate) end: Notify,
    consoles: AtomicU64,
}

impl Shim {
    pub(crate) fn new(
        identity: Identity,
        bundle: Bundle,
        reaper: Reaper,
        events: Events,
        socket: PathBuf,
    ) -> Self {
        Self {
            identity,
            bundle,
            reaper,
            events,
            socket,
            creation: tokio::sync::Mutex::default(),
            task: Mutex::default(),
            heard: Mutex::new(Instant::now()),
            end: Notify::new(),
            consoles: AtomicU64::new(0),
        }
    }

    /// The container, which is the only one that there is here.
    pub(crate) fn task(&self, id: &str) -> Result<Arc<Task>, Error> {
        let task = self.slot().as_ref().map(Arc::clone);
        let task = task.filter(|_| id == self.identity.id.as_ref());
        task.ok_or_else(|| Error::NotFound(format!("container {id}")))
    }

    /// The place of the container, while there is none or one.
    pub(crate) fn slot(&self) -> MutexGuard<'_, Option<Arc<Task>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a terminal may be left, if the streams are to be one.
    pub(crate) fn console(&self, stdio: &Stdio) -> Result<Option<ConsoleSocket>, Error> {
        if !stdio.terminal {
            return Ok(None);
        }
        let number = self.consoles.fetch_add(1, Ordering::Relaxed);
        // Beside the shim's own: a socket's path must be short, and a bundle's may be long.
        let path = address::beside(&self.socket, &format!("console{number}"));
        let what = path.display().to_string();
        ConsoleSocket::listen(path).map(Some).map_err(Error::io(what))
    }

    /// Notes that somebody has asked something.
    pub(crate) fn hear(&self) {
        *self.heard() = Instant::now();
    }

    /// Waits until nobody seems to want the shim.
    pub(crate) async fn forgotten(&self) {
        loop {
            let limit = *self.heard() + PATIENCE;
            if !self.is_busy() && Instant::now() >= limit {
                return;
            }
            tokio::time::sleep_until(limit.max(Instant::now() + PATIENCE / 10)).await;
        }
    }

    /// Whether there is a container, or is to be one, that somebody may still ask about.
    ///
    /// A containerd that does not like the answer of `start` forgets about the shim before there is
    /// one. A containerd that loses its connection, and nothing else, takes the shim for dead: it
    /// has `delete` end the container and removes the bundle, and never comes back.
    fn is_busy(&self) -> bool {
        // A Create may take long: hooks are a part of it.
        if self.creation.try_lock().is_err() {
            return true;
        }
        let ended = |task: &Arc<Task>| matches!(task.init.state(), State::Stopped { .. });
        let slot = self.slot();
        slot.as_ref().is_some_and(|task| !ended(task) || self.bundle.path().exists())
    }

    fn heard(&self) -> MutexGuard<'_, Instant> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
