//! Coming to limits.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::unistd::Pid;
use serde_json::{Value, json};

/// How many children this process can have, each of which waits for its end.
pub(crate) fn children() -> Value {
    const ENOUGH: u32 = 200;
    let program = std::env::args().next().expect("this program");
    for children in 0..ENOUGH {
        // A container need not have a /dev/null.
        match Command::new(&program).arg("wait").stdout(Stdio::piped()).spawn() {
            // It waits on, and has its end of the pipe.
            Ok(child) => std::mem::forget(child),
            Err(error) => return json!({ "children": children, "errno": errno(&error) }),
        }
    }
    json!({ "children": ENOUGH })
}

/// Whether so much memory is to be had; each page of it is written to.
pub(crate) fn memory(bytes: usize) -> Result<Value, Errno> {
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).map_err(|_| Errno::ENOMEM)?;
    let pages = memory.spare_capacity_mut().iter_mut().step_by(4096);
    let pages = pages.map(|byte| u64::from(*byte.write(1))).sum::<u64>();
    std::hint::black_box(&memory);
    Ok(json!({ "pages": pages }))
}

/// The processors that this process may run on.
pub(crate) fn cpus() -> Value {
    let mask = sched_getaffinity(Pid::from_raw(0)).expect("the processors");
    let cpus: Vec<usize> =
        (0..CpuSet::count()).filter(|cpu| mask.is_set(*cpu).expect("a processor")).collect();
    json!({ "cpus": cpus })
}

/// Does nothing but use the processor; the share that it got in the second half of that time, in
/// percent.
pub(crate) fn burn(seconds: f64) -> Value {
    let half = Duration::from_secs_f64(seconds / 2.0);
    spin(half);
    let (start, used) = (Instant::now(), used());
    spin(half);
    let share = (self::used() - used).as_secs_f64() / start.elapsed().as_secs_f64();
    json!({ "share": share * 100.0 })
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {}
}

fn used() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("what was used");
    let micros =
        |time: TimeVal| u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).expect("a time");
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

fn errno(error: &io::Error) -> String {
    let errno = Errno::from_raw(error.raw_os_error().expect("an errno"));
    format!("{errno:?}")
}
