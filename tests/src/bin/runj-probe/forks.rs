//! Processes that make others without end.

#![allow(unsafe_code)]

use nix::unistd::{ForkResult, fork, pause};

/// Doubles itself as long as the kernel allows, and tries again when it no longer does.
pub(crate) fn all() {
    loop {
        // SAFETY: this process has one thread.
        if unsafe { fork() }.is_err() {
            std::thread::yield_now();
        }
    }
}

/// Makes lines of processes: each makes the next one and ends at once.
pub(crate) fn on(lines: usize) {
    for _ in 0..lines {
        // SAFETY: this process has one thread.
        if let Ok(ForkResult::Child) = unsafe { fork() } {
            loop {
                // SAFETY: as above.
                match unsafe { fork() } {
                    Ok(ForkResult::Parent { .. }) => std::process::exit(0),
                    Ok(ForkResult::Child) => {}
                    Err(_) => std::thread::yield_now(),
                }
            }
        }
    }
    pause();
}
