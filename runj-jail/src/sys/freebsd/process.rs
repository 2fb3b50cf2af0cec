//! Processes, through sysctl(3).

use std::collections::BTreeSet;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use nix::sys::time::TimeSpec;
use nix::unistd::{SysconfVar, sysconf};

use crate::error::Error;
use crate::jid::Jid;
use crate::process::ProcessId;
use crate::process_info::ProcessInfo;
use crate::process_state::{ProcessState, RunState};
use crate::signal::Signal;

/// The processes of the jails, without zombies.
pub(crate) fn processes(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessId>, Error> {
    of_jails(jids, |entry, boot| Ok(ProcessId::recorded(entry.ki_pid, start_of(entry, boot))))
}

/// The same, with what the kernel tells of each.
pub(crate) fn process_infos(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessInfo>, Error> {
    of_jails(jids, info)
}

/// The same, with whether they run.
pub(crate) fn process_states(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessState>, Error> {
    of_jails(jids, |entry, boot| {
        Ok(ProcessState {
            id: ProcessId::recorded(entry.ki_pid, start_of(entry, boot)),
            name: name(entry),
            run: run_state(entry),
        })
    })
}

/// What the kernel tells of its first thread (`fill_kinfo_thread`, `kern_proc.c`). All of one that
/// has been told to stop is told to be stopped, unless that thread runs still.
fn run_state(entry: &libc::kinfo_proc) -> RunState {
    let interruptible = entry.ki_tdflags & libc::c_long::from(libc::TDF_SINTR) != 0;
    match entry.ki_stat {
        libc::SSTOP => RunState::Stopped,
        libc::SLOCK => RunState::Blocked,
        libc::SSLEEP if !interruptible => RunState::Blocked,
        _ => RunState::Runnable,
    }
}

fn name(entry: &libc::kinfo_proc) -> String {
    let name = entry.ki_comm.map(|letter| letter.to_ne_bytes()[0]);
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// What the kernel tells of the process of that pid; `None` when there is none or it is a zombie.
pub(crate) fn process_info(pid: i32) -> Result<Option<ProcessInfo>, Error> {
    let (table, boot) = timed_table([libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid])?;
    let entry = table.first().filter(|entry| entry.ki_pid == pid && entry.ki_stat != libc::SZOMB);
    entry.map(|entry| info(entry, boot)).transpose()
}

fn of_jails<T>(
    jids: &BTreeSet<Jid>,
    read: fn(&libc::kinfo_proc, i64) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let (table, boot) = timed_table([libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PROC, 0])?;
    table
        .iter()
        .filter(|entry| entry.ki_stat != libc::SZOMB)
        .filter(|entry| Jid::try_from(entry.ki_jid).is_ok_and(|jid| jids.contains(&jid)))
        .map(|entry| read(entry, boot))
        .collect()
}

fn info(entry: &libc::kinfo_proc, boot: i64) -> Result<ProcessInfo, Error> {
    let page = sysconf(SysconfVar::PAGE_SIZE).map_err(Error::system("sysconf(3)"))?;
    let page = page.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(4096);
    let (own, children) = (&entry.ki_rusage, &entry.ki_rusage_ch);
    let command = arguments(entry.ki_pid).unwrap_or_else(|| format!("[{}]", name(entry)));
    Ok(ProcessInfo {
        id: ProcessId::recorded(entry.ki_pid, start_of(entry, boot)),
        parent: entry.ki_ppid,
        uid: entry.ki_uid,
        command,
        stopped: entry.ki_stat == libc::SSTOP,
        threads: u64::try_from(entry.ki_numthreads).unwrap_or_default(),
        memory: u64::try_from(entry.ki_rssize).unwrap_or_default() * page,
        virtual_memory: u64::try_from(entry.ki_size).unwrap_or(u64::MAX),
        user_time: duration(&own.ru_utime),
        system_time: duration(&own.ru_stime),
        children_user_time: duration(&children.ru_utime),
        children_system_time: duration(&children.ru_stime),
    })
}

/// The program's arguments (sysctl(3), `kern.proc.args`), with spaces between them; `None` where
/// there are none or the kernel does not tell.
fn arguments(pid: i32) -> Option<String> {
    /// What the kernel remembers of them is bounded by `kern.ps_arg_cache_limit`, and what it
    /// reads from the process by this (`PS_STRINGS` takes any number).
    const MOST: usize = 64 << 10;
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ARGS, pid];
    let mut buffer = vec![0u8; MOST];
    let mut length = buffer.len();
    // SAFETY: the buffer is as long as `length` says.
    let result = unsafe {
        libc::sysctl(mib.as_ptr(), 4, buffer.as_mut_ptr().cast(), &mut length, ptr::null(), 0)
    };
    // The process has ended, has more arguments than anybody wants to read, or has written over
    // them or over where they are: whatever it did is no reason not to tell of the others.
    Errno::result(result).ok()?;
    buffer.truncate(length);
    let words = buffer.strip_suffix(&[0]).unwrap_or(&buffer).split(|&byte| byte == 0);
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    let text = words.join(" ");
    (!text.trim().is_empty()).then_some(text)
}

fn duration(time: &libc::timeval) -> Duration {
    Duration::from_micros(u64::try_from(micros(time)).unwrap_or_default())
}

/// When the process of that pid started; `None` when there is none or it is a zombie.
pub(crate) fn process_start(pid: i32) -> Result<Option<u64>, Error> {
    let (table, boot) = timed_table([libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid])?;
    Ok(table
        .first()
        .filter(|entry| entry.ki_pid == pid && entry.ki_stat != libc::SZOMB)
        .map(|entry| start_of(entry, boot)))
}

/// Sends a signal to the process if it still is that one; `false` when it is not.
pub(crate) fn process_signal(process: ProcessId, signal: Signal) -> Result<bool, Error> {
    if !process.is_alive()? {
        return Ok(false);
    }
    // SAFETY: the call takes no pointer.
    match Errno::result(unsafe { libc::kill(process.pid(), signal.as_raw()) }) {
        Ok(_) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(errno) => Err(Error::System { call: "kill(2)", errno }),
    }
}

/// Waits for the process's end; `false` when it has not come after `timeout`.
pub(crate) fn process_wait(process: ProcessId, timeout: Duration) -> Result<bool, Error> {
    let deadline = Instant::now() + timeout;
    let kqueue = Kqueue::new().map_err(Error::system("kqueue(2)"))?;
    let Ok(ident) = usize::try_from(process.pid()) else { return Ok(true) };
    let watch = KEvent::new(
        ident,
        EventFilter::EVFILT_PROC,
        EvFlags::EV_ADD | EvFlags::EV_ONESHOT,
        FilterFlag::NOTE_EXIT,
        0,
        0,
    );
    match kqueue.kevent(&[watch], &mut [], Some(*TimeSpec::from(Duration::ZERO).as_ref())) {
        Ok(_) => {}
        Err(Errno::ESRCH) => return Ok(true),
        Err(errno) => return Err(Error::System { call: "kevent(2)", errno }),
    }
    // Watched from here on; had the pid been another's by then, the start time tells.
    while process.is_alive()? {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut events = [watch];
        match kqueue.kevent(&[], &mut events, Some(*TimeSpec::from(left).as_ref())) {
            Ok(1) => return settled(process),
            Ok(_) if left.is_zero() => return Ok(false),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::System { call: "kevent(2)", errno }),
        }
    }
    Ok(true)
}

/// The kernel tells of a process's end (exit1 in kern_exit.c) a few instructions before the process
/// is a zombie, and whoever was told expects that it is none of those that run.
fn settled(process: ProcessId) -> Result<bool, Error> {
    let patience = Instant::now() + Duration::from_secs(1);
    while process.is_alive()? && Instant::now() < patience {
        thread::yield_now();
    }
    Ok(true)
}

/// Microseconds since boot. The kernel adds the boot time, which moves when the clock is set;
/// without it the value stays the same for as long as the process lives.
fn start_of(entry: &libc::kinfo_proc, boot: i64) -> u64 {
    (micros(&entry.ki_start) - boot).max(0).cast_unsigned()
}

fn micros(time: &libc::timeval) -> i64 {
    time.tv_sec * 1_000_000 + time.tv_usec
}

fn boot_time() -> Result<i64, Error> {
    let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut length = size_of::<libc::timeval>();
    let mib = [libc::CTL_KERN, libc::KERN_BOOTTIME];
    // SAFETY: the buffer is a timeval, as long as `length` says.
    let result = unsafe {
        libc::sysctl(mib.as_ptr(), 2, (&raw mut time).cast(), &mut length, ptr::null(), 0)
    };
    Errno::result(result).map_err(Error::system("sysctl(kern.boottime)"))?;
    Ok(micros(&time))
}

/// The process table and the boot time that the times in it count from.
fn timed_table(mib: [c_int; 4]) -> Result<(Vec<libc::kinfo_proc>, i64), Error> {
    loop {
        let boot = boot_time()?;
        let table = process_table(mib)?;
        // It moves when the clock is set: then the table may be from before or after.
        if boot_time()? == boot {
            return Ok((table, boot));
        }
    }
}

fn process_table(mib: [c_int; 4]) -> Result<Vec<libc::kinfo_proc>, Error> {
    let refused = |errno| Error::System { call: "sysctl(kern.proc)", errno };
    let mut entries: Vec<libc::kinfo_proc> = Vec::new();
    loop {
        let mut length = 0;
        // Of one process there is no need to ask how much there is.
        if mib[2] != libc::KERN_PROC_PID {
            let none = ptr::null_mut();
            // SAFETY: with a null buffer the kernel only says how much there is.
            let result =
                unsafe { libc::sysctl(mib.as_ptr(), 4, none, &mut length, ptr::null(), 0) };
            Errno::result(result).map_err(refused)?;
        }
        entries.clear();
        // A few more than there were a moment ago; of one process no more than that, since the kernel
        // wires all the room that it is given (`sysctl_wire_old_buffer`, sys/kern/kern_sysctl.c).
        let more = if length == 0 { 1 } else { 16 };
        entries.reserve_exact(length / size_of::<libc::kinfo_proc>() + more);
        length = entries.capacity() * size_of::<libc::kinfo_proc>();
        let buffer: *mut c_void = entries.as_mut_ptr().cast();
        // SAFETY: the buffer is the vector's spare room, as long as `length` says.
        let result = unsafe { libc::sysctl(mib.as_ptr(), 4, buffer, &mut length, ptr::null(), 0) };
        match Errno::result(result) {
            Ok(_) => {
                // SAFETY: the kernel wrote `length` bytes of whole entries, and any bit pattern
                // is a kinfo_proc.
                unsafe { entries.set_len(length / size_of::<libc::kinfo_proc>()) };
                return Ok(entries);
            }
            Err(Errno::ESRCH) => return Ok(Vec::new()),
            // More processes than a moment ago.
            Err(Errno::ENOMEM) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
}

const _: () = {
    // sysctl(kern.proc) is laid out by this size (sys/user.h, KINFO_PROC_SIZE).
    #[cfg(target_pointer_width = "64")]
    assert!(size_of::<libc::kinfo_proc>() == 1088);
};
