//! Waiting for what others do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hanging. Far more than is needed, but by an
/// emulated machine: a test that passes does not wait for it.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Tells another thread to end, also when this one panics.
#[derive(Debug)]
pub struct OnDrop<'a>(pub &'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks again and again until `condition` yields something, for what the kernel has no event for.
///
/// # Panics
///
/// When it has not after [`DEADLINE`]; `what` says what was waited for.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    const LONGEST_PAUSE: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + DEADLINE;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
