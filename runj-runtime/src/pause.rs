//! `pause` and `resume`.
//!
//! A jail cannot be frozen. What is done instead is SIGSTOP and SIGCONT for every process in it.
//! Their parents can see that, and a process that had stopped itself before goes on after `resume`
//! like all others. What is paused is what was there at the time: whoever enters the jail by other
//! means than runj later is not.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use runj_faults::{Point, at};
use runj_jail::{RunState, Signal};
use runj_spec::ContainerId;

use crate::error::Error;
use crate::record::Record;
use crate::runtime::{Runtime, jail_of};
use crate::state;
use crate::status::Status;
use crate::store::Locked;

impl Runtime {
    /// Stops every process of a container that is created or runs, until
    /// [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// [`Error::WrongStatus`] for any other one, and [`Error::Unstoppable`] when it makes processes
    /// faster than they can be stopped, or these make each other go on; then it runs on.
    pub fn pause(&self, id: &ContainerId) -> Result<(), Error> {
        let (container, mut record) =
            self.in_status(id, "pause", &[Status::Created, Status::Running], "running")?;
        // Written before: should we be killed meanwhile, `resume` mends it.
        record.paused = true;
        container.write(&record)?;
        let stopped = stop(id, &record);
        if stopped.is_err() {
            go_on(&record)?;
            record.paused = false;
            container.write(&record)?;
        }
        stopped
    }

    /// Lets a paused container go on.
    ///
    /// # Errors
    ///
    /// [`Error::WrongStatus`] for one that is not paused.
    pub fn resume(&self, id: &ContainerId) -> Result<(), Error> {
        let (container, mut record) = self.in_status(id, "resume", &[Status::Paused], "paused")?;
        go_on(&record)?;
        record.paused = false;
        container.write(&record)
    }

    fn in_status(
        &self,
        id: &ContainerId,
        verb: &'static str,
        possible: &[Status],
        expected: &'static str,
    ) -> Result<(Locked, Record), Error> {
        let container = self.store.find(id)?.lock()?;
        let directory = container.directory();
        let record = directory.read()?.ok_or_else(|| Error::NoSuchContainer(id.clone()))?;
        let status = state::status(directory, &record, false)?;
        if possible.contains(&status) {
            Ok((container, record))
        } else {
            Err(Error::WrongStatus { verb, id: id.clone(), status, expected })
        }
    }
}

/// Stops all processes and waits until they have stopped.
fn stop(id: &ContainerId, record: &Record) -> Result<(), Error> {
    /// How long no process may appear and none stop, for those to count as stopped that wait for
    /// something in the kernel, where no signal reaches them, such as a child between vfork(2) and
    /// execve(2) that has stopped.
    const CALM: Duration = Duration::from_millis(500);
    /// How long it may take in all.
    const PATIENCE: Duration = Duration::from_secs(10);
    const LONGEST_PAUSE: Duration = Duration::from_millis(20);

    if let Some(init) = record.init() {
        at(Point::StopInit)?;
        init.signal(Signal::STOP)?;
    }
    let Some(jail) = jail_of(record)? else { return Ok(()) };
    let start = Instant::now();
    let mut last_news = start;
    let mut signalled = HashSet::new();
    let mut most_stopped = 0;
    let mut all_stopped = false;
    let mut pause = Duration::from_millis(1);
    loop {
        let processes = jail.process_states()?;
        let mut news = false;
        for process in processes.iter().filter(|process| process.run != RunState::Stopped) {
            news |= signalled.insert(process.id);
            at(Point::Stop)?;
            process.id.signal(Signal::STOP)?;
        }
        let stopped = processes.iter().filter(|process| process.run == RunState::Stopped).count();
        // Seen twice, since a look takes time: one that is looked at early may be made to go on by
        // one that is looked at late.
        if stopped == processes.len() && all_stopped {
            return Ok(());
        }
        all_stopped = stopped == processes.len();
        let runnable = processes.iter().find(|process| process.run == RunState::Runnable);
        if news || stopped > most_stopped {
            most_stopped = stopped.max(most_stopped);
            last_news = Instant::now();
        } else if last_news.elapsed() > CALM && runnable.is_none() {
            return Ok(());
        }
        if start.elapsed() > PATIENCE
            && let Some(process) =
                runnable.or(processes.iter().find(|process| process.run != RunState::Stopped))
        {
            let (pid, name) = (process.id.pid(), process.name.clone());
            return Err(Error::Unstoppable { id: id.clone(), pid, name });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn go_on(record: &Record) -> Result<(), Error> {
    if let Some(jail) = jail_of(record)? {
        at(Point::Continue)?;
        jail.signal_all(Signal::CONT)?;
    }
    if let Some(init) = record.init() {
        at(Point::ContinueInit)?;
        init.signal(Signal::CONT)?;
    }
    Ok(())
}
