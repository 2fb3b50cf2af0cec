//! Containers from the side of containerd's users: a real containerd of each release that there
//! is, its own `ctr`, the real shim and the real `runj`.
//!
//! This takes root, a containerd and, on Linux, Debian's static busybox; without them the harness
//! reports the cases as ignored, but where `CI` is set they fail. `RUNJ`, `RUNJ_SHIM` and
//! `RUNJ_CONTAINERD` name the programs, and the only containerd, to be used.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod bootstrap;
mod case;
mod crash;
#[cfg(target_os = "linux")]
mod cri;
mod demo_image;
mod exec;
mod extension;
mod lifecycle;
mod limits;
mod many;
mod output;
// The one way to make a pool for a test.
#[path = "../../../runj-shim/tests/task/pool.rs"]
mod pool;
mod refusal;
mod restart;
mod root;
mod shipped;
mod story;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::case::Theme;

fn main() -> ExitCode {
    let themes = [
        Theme { name: "story", cases: story::CASES },
        Theme { name: "lifecycle", cases: lifecycle::CASES },
        Theme { name: "extension", cases: extension::CASES },
        Theme { name: "root", cases: root::CASES },
        Theme { name: "demo_image", cases: demo_image::CASES },
        Theme { name: "exec", cases: exec::CASES },
        Theme { name: "limits", cases: limits::CASES },
        Theme { name: "output", cases: output::CASES },
        Theme { name: "restart", cases: restart::CASES },
        Theme { name: "crash", cases: crash::CASES },
        Theme { name: "refusal", cases: refusal::CASES },
        Theme { name: "many", cases: many::CASES },
        Theme { name: "bootstrap", cases: bootstrap::CASES },
        Theme { name: "shipped", cases: shipped::CASES },
        #[cfg(target_os = "linux")]
        Theme { name: "cri", cases: cri::CASES },
    ];
    let mut arguments = Arguments::from_args();
    // Most of the time each of them waits for some process.
    arguments.test_threads.get_or_insert(3);
    libtest_mimic::run(&arguments, case::trials(&themes)).exit_code()
}
