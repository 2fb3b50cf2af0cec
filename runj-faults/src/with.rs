//! Fault points in a program that is built for tests.

use std::env;
use std::fs::OpenOptions;
use std::mem;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use fail::FailScenario;
use nix::errno::Errno;
use rustix::process::{Signal, getpid, kill_process};

use crate::point::{InitPoint, Point};

/// What a step is refused with.
#[derive(Clone, Copy, Debug)]
pub struct Fault(Errno);

impl Fault {
    /// The kernel's word, as the test has put it into its mouth.
    #[must_use]
    pub fn errno(self) -> Errno {
        self.0
    }
}

/// Does what the test wants to happen at this point.
///
/// # Errors
///
/// What the test wants the step to be refused with.
///
/// # Panics
///
/// When `FAILPOINTS` asks for what cannot be had.
pub fn at(point: Point) -> Result<(), Fault> {
    static REACHED: [AtomicU32; Point::ALL.len()] = [const { AtomicU32::new(0) }; Point::ALL.len()];
    let name = point.name();
    if let Some(trace) = trace() {
        let count = REACHED[point as usize].fetch_add(1, Ordering::Relaxed) + 1;
        append(trace, line(name, count).as_bytes());
    }
    action(name).map_or(Ok(()), Action::act)
}

/// What is to happen in a process that is about to be forked.
#[derive(Debug)]
pub struct Init {
    steps: Vec<Step>,
}

/// One of its points.
#[derive(Debug)]
struct Step {
    line: String,
    action: Option<Action>,
}

impl Init {
    /// Decides. For `FAILPOINTS`, and in the trace, the process comes to each point as often as this
    /// was called in the one that it was forked from.
    #[must_use]
    pub fn prepare() -> Self {
        static PREPARED: AtomicU32 = AtomicU32::new(0);
        let count = PREPARED.fetch_add(1, Ordering::Relaxed) + 1;
        // Opened before the fork.
        let _ = trace();
        let step = |point: &InitPoint| {
            let name = point.name();
            Step { line: line(name, count), action: action(name) }
        };
        Self { steps: InitPoint::ALL.iter().map(step).collect() }
    }

    /// Descriptors that the process has to keep for it.
    pub fn descriptors(&self) -> impl Iterator<Item = i32> + use<> {
        trace().map(OwnedFd::as_raw_fd).into_iter()
    }

    /// Does what the test wants to happen at this point. Only system calls are made.
    ///
    /// # Errors
    ///
    /// What the test wants the step to be refused with.
    pub fn at(&self, point: InitPoint) -> Result<(), Fault> {
        let Some(step) = self.steps.get(point as usize) else { return Ok(()) };
        if let Some(trace) = trace() {
            append(trace, step.line.as_bytes());
        }
        step.action.map_or(Ok(()), Action::act)
    }
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Kill,
    Delay(Duration),
    Fail(Errno),
}

impl Action {
    /// What an argument of `return` means.
    fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some(("delay", time)) => time.parse().ok().map(Duration::from_millis).map(Self::Delay),
            Some(_) => None,
            None if text == "kill" => Some(Self::Kill),
            None => text.parse().ok().map(Errno::from_raw).map(Self::Fail),
        }
    }

    /// Does it. Only system calls are made.
    fn act(self) -> Result<(), Fault> {
        match self {
            // Nobody comes back from that.
            Self::Kill => kill_process(getpid(), Signal::KILL)
                .map_err(|errno| Fault(Errno::from_raw(errno.raw_os_error()))),
            Self::Delay(time) => {
                sleep(time);
                Ok(())
            }
            Self::Fail(errno) => Err(Fault(errno)),
        }
    }
}

/// What `FAILPOINTS` says about this time that the point is come to.
fn action(name: &str) -> Option<Action> {
    static SCENARIO: OnceLock<()> = OnceLock::new();
    // For the life of the process: at its end it would take all actions away.
    SCENARIO.get_or_init(|| mem::forget(FailScenario::setup()));
    let decided = fail::eval(name, Option::unwrap_or_default)?;
    let action = Action::parse(&decided);
    assert!(action.is_some(), "FAILPOINTS: {name}: {decided:?} is no action");
    action
}

/// The file that `RUNJ_FAULTS_TRACE` names. Its number is out of the way of those that are handed
/// to containers.
fn trace() -> Option<&'static OwnedFd> {
    const LOWEST: i32 = 200;
    static TRACE: OnceLock<Option<OwnedFd>> = OnceLock::new();
    let open = || {
        let path = env::var_os("RUNJ_FAULTS_TRACE")?;
        let file = OpenOptions::new().append(true).create(true).open(path).ok()?;
        rustix::io::fcntl_dupfd_cloexec(file, LOWEST).ok()
    };
    TRACE.get_or_init(open).as_ref()
}

/// Lines of several processes do not mix, since each is one write(2). A trace that cannot be
/// written has lines missing, which a test sees.
fn append(trace: &OwnedFd, line: &[u8]) {
    let _ = rustix::io::write(trace, line);
}

fn line(name: &str, count: u32) -> String {
    format!("{name} {count}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_one_of_three() {
        assert_eq!(Action::parse("kill"), Some(Action::Kill));
        assert_eq!(Action::parse("5"), Some(Action::Fail(Errno::EIO)));
        assert_eq!(Action::parse("delay 100"), Some(Action::Delay(Duration::from_millis(100))));
        for wrong in ["", "EIO", "delay", "delay x", "kill 9"] {
            assert_eq!(Action::parse(wrong), None, "{wrong}");
        }
    }
}
