//! FreeBSD: the jail system calls, and processes through sysctl(3).

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::os::fd::RawFd;
use std::ptr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use nix::sys::time::TimeSpec;

use super::{Forked, SetMode};
use crate::encode::RawParam;
use crate::error::Error;
use crate::jid::Jid;
use crate::process::ProcessId;
use crate::signal::Signal;

/// Room for the kernel's own text; libjail(3) uses the same (`JAIL_ERRMSGLEN`).
const ERRMSG_LEN: usize = 1024;

const ERRMSG: &CStr = c"errmsg";

/// `jail_set(2)`.
pub(crate) fn jail_set(params: &[RawParam], mode: SetMode) -> Result<Jid, Error> {
    let flags = match mode {
        SetMode::Create => libc::JAIL_CREATE,
        SetMode::Update => libc::JAIL_UPDATE,
    };
    let mut message = [0u8; ERRMSG_LEN];
    let mut iov = Vec::with_capacity(2 * params.len() + 2);
    for param in params {
        iov.push(name_iov(&param.name));
        // The kernel only reads it; a flag has no value.
        iov.push(libc::iovec {
            iov_base: if param.value.is_empty() {
                ptr::null_mut()
            } else {
                param.value.as_ptr().cast_mut().cast()
            },
            iov_len: param.value.len(),
        });
    }
    iov.push(name_iov(ERRMSG));
    iov.push(buffer_iov(&mut message));
    // SAFETY: every iovec describes memory that outlives the call and that the kernel reads only,
    // but for `message`, which is exclusively borrowed and as long as its iovec says.
    let result = unsafe { libc::jail_set(iov.as_mut_ptr(), count(&iov), flags) };
    jid_of(result, "jail_set(2)", &message)
}

/// `jail_get(2)`: the jid of the jail that `key` names, and the values of `wanted`.
pub(crate) fn jail_get(
    key: &RawParam,
    wanted: &[CString],
    dying: bool,
) -> Result<(Jid, Vec<Vec<u8>>), Error> {
    // The values' sizes are only known to the kernel, and may change between the call that asks
    // for them and the one that fetches them, which then says EINVAL.
    const ATTEMPTS: usize = 8;
    let flags = if dying { libc::JAIL_DYING } else { 0 };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut values = vec![Vec::new(); wanted.len()];
        let (jid, lengths) = get(key, wanted, &mut values, flags)?;
        if wanted.is_empty() {
            return Ok((jid, values));
        }
        for (value, length) in values.iter_mut().zip(lengths) {
            *value = vec![0; length];
        }
        match get(key, wanted, &mut values, flags) {
            Ok((jid, lengths)) => {
                for (value, length) in values.iter_mut().zip(lengths) {
                    value.truncate(length);
                }
                return Ok((jid, values));
            }
            Err(Error::Refused { errno: Errno::EINVAL, .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// One `jail_get(2)` into `values`; an empty one asks for the value's length.
fn get(
    key: &RawParam,
    wanted: &[CString],
    values: &mut [Vec<u8>],
    flags: c_int,
) -> Result<(Jid, Vec<usize>), Error> {
    let mut message = [0u8; ERRMSG_LEN];
    let mut key_value = key.value.clone();
    let mut iov = vec![name_iov(&key.name), buffer_iov(&mut key_value)];
    for (name, value) in wanted.iter().zip(values) {
        iov.push(name_iov(name));
        iov.push(buffer_iov(value));
    }
    iov.push(name_iov(ERRMSG));
    iov.push(buffer_iov(&mut message));
    // SAFETY: every iovec describes memory that outlives the call; those that the kernel writes
    // to are exclusively borrowed and as long as their iovecs say.
    let result = unsafe { libc::jail_get(iov.as_mut_ptr(), count(&iov), flags) };
    let jid = jid_of(result, "jail_get(2)", &message)?;
    let lengths = iov.iter().skip(3).step_by(2).take(wanted.len()).map(|iov| iov.iov_len);
    Ok((jid, lengths.collect()))
}

fn name_iov(name: &CStr) -> libc::iovec {
    libc::iovec {
        iov_base: name.as_ptr().cast_mut().cast(),
        iov_len: name.to_bytes_with_nul().len(),
    }
}

fn buffer_iov(buffer: &mut [u8]) -> libc::iovec {
    libc::iovec {
        iov_base: if buffer.is_empty() { ptr::null_mut() } else { buffer.as_mut_ptr().cast() },
        iov_len: buffer.len(),
    }
}

fn count(iov: &[libc::iovec]) -> c_uint {
    // Parameters come from a configuration of bounded size; should there ever be more than the
    // kernel can count, it answers EINVAL.
    c_uint::try_from(iov.len()).unwrap_or(c_uint::MAX)
}

fn jid_of(result: c_int, call: &'static str, message: &[u8]) -> Result<Jid, Error> {
    Jid::try_from(result).map_err(|_| {
        let errno = Errno::last();
        let text = message.split(|&b| b == 0).next().unwrap_or_default();
        let message = (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned());
        Error::Refused { call, errno, message }
    })
}

/// `jail_remove(2)`.
pub(crate) fn jail_remove(jid: Jid) -> Result<(), Error> {
    // SAFETY: the call takes no pointer.
    Errno::result(unsafe { libc::jail_remove(jid.as_raw()) })
        .map(drop)
        .map_err(|errno| Error::Refused { call: "jail_remove(2)", errno, message: None })
}

/// The processes of the jails, without zombies.
pub(crate) fn processes(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessId>, Error> {
    let (table, boot) = timed_table([libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PROC, 0])?;
    Ok(table
        .iter()
        .filter(|entry| entry.ki_stat != libc::SZOMB)
        .filter(|entry| Jid::try_from(entry.ki_jid).is_ok_and(|jid| jids.contains(&jid)))
        .map(|entry| ProcessId::recorded(entry.ki_pid, start_of(entry, boot)))
        .collect())
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
            Ok(1) => return Ok(true),
            Ok(_) if left.is_zero() => return Ok(false),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::System { call: "kevent(2)", errno }),
        }
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
    let refused = Error::system("sysctl(kern.proc)");
    let mut entries: Vec<libc::kinfo_proc> = Vec::new();
    loop {
        let mut length = 0;
        // SAFETY: with a null buffer the kernel only says how much there is.
        let result =
            unsafe { libc::sysctl(mib.as_ptr(), 4, ptr::null_mut(), &mut length, ptr::null(), 0) };
        match Errno::result(result) {
            Ok(_) => {}
            Err(Errno::ESRCH) => return Ok(Vec::new()),
            Err(errno) => return Err(refused(errno)),
        }
        entries.clear();
        entries.reserve(length / size_of::<libc::kinfo_proc>() + 16);
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

/// See [`super::Attachment`].
#[derive(Debug)]
pub(super) struct Attachment {
    jid: Jid,
}

impl Attachment {
    pub(super) fn new(jid: Jid) -> Result<Self, Error> {
        Ok(Self { jid })
    }

    pub(super) unsafe fn fork(&self) -> Result<Forked, Error> {
        // SAFETY: the caller keeps to fork's rules.
        match Errno::result(unsafe { libc::fork() }).map_err(Error::system("fork(2)"))? {
            0 => Ok(Forked::Child),
            pid => Ok(Forked::Parent(pid)),
        }
    }

    pub(super) fn descriptors(&self) -> &[RawFd] {
        &[]
    }

    pub(super) fn enter(&self) -> Result<(), Errno> {
        let mut disable = libc::PROC_TRACE_CTL_DISABLE;
        // SAFETY: PROC_TRACE_CTL reads an int. Process 0 of P_PID is the caller.
        Errno::result(unsafe {
            libc::procctl(libc::P_PID, 0, libc::PROC_TRACE_CTL, (&raw mut disable).cast())
        })?;
        // SAFETY: the call takes no pointer.
        Errno::result(unsafe { libc::jail_attach(self.jid.as_raw()) }).map(drop)
    }
}

const _: () = {
    // sysctl(kern.proc) is laid out by this size (sys/user.h, KINFO_PROC_SIZE).
    #[cfg(target_pointer_width = "64")]
    assert!(size_of::<libc::kinfo_proc>() == 1088);
};
