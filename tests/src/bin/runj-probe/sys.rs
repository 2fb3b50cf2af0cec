//! What no library asks the kernel for.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;

use nix::errno::Errno;
use nix::sys::signal::Signal;

/// Descriptors above this number are not looked for.
const LAST_DESCRIPTOR: c_int = 1023;

/// The numbers of the descriptors that are open.
pub(crate) fn open_descriptors() -> Vec<c_int> {
    (0..=LAST_DESCRIPTOR).filter(|&fd| file_type(fd).is_some()).collect()
}

/// The numbers of those that are directories.
pub(crate) fn open_directories() -> Vec<c_int> {
    (0..=LAST_DESCRIPTOR).filter(|&fd| file_type(fd) == Some(libc::S_IFDIR)).collect()
}

fn file_type(fd: c_int) -> Option<libc::mode_t> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel fills in the structure, or refuses.
    Errno::result(unsafe { libc::fstat(fd, stat.as_mut_ptr()) }).ok()?;
    // SAFETY: it has not refused.
    Some(unsafe { stat.assume_init() }.st_mode & libc::S_IFMT)
}

/// The signals that are ignored, but for SIGPIPE: Rust programs ignore that one themselves.
pub(crate) fn ignored_signals() -> Vec<&'static str> {
    let ignored = |signal: &Signal| {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action the kernel fills in the old one.
        unsafe { libc::sigaction(*signal as c_int, std::ptr::null(), action.as_mut_ptr()) };
        // SAFETY: filled in.
        unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
    };
    Signal::iterator()
        .filter(|&signal| signal != Signal::SIGPIPE)
        .filter(ignored)
        .map(Signal::as_str)
        .collect()
}

/// The signals that are blocked.
pub(crate) fn blocked_signals() -> Vec<&'static str> {
    let blocked = nix::sys::signal::SigSet::thread_get_mask().expect("a mask");
    Signal::iterator().filter(|&signal| blocked.contains(signal)).map(Signal::as_str).collect()
}

/// The rows and columns of the terminal on standard input, if it is one.
pub(crate) fn terminal_size() -> Option<[u16; 2]> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ fills in a winsize.
    Errno::result(unsafe { libc::ioctl(0, libc::TIOCGWINSZ, &raw mut size) }).ok()?;
    Some([size.ws_row, size.ws_col])
}

/// The NIS domain name.
pub(crate) fn domainname() -> String {
    let mut name = [0u8; 256];
    // Its type differs between the platforms.
    #[allow(clippy::useless_conversion)]
    let length = (name.len() - 1).try_into().expect("a length");
    // SAFETY: the buffer is longer than we say, by a NUL.
    Errno::result(unsafe { libc::getdomainname(name.as_mut_ptr().cast(), length) })
        .expect("a domain name");
    let name = CStr::from_bytes_until_nul(&name).expect("a NUL");
    name.to_string_lossy().into_owned()
}

/// Whether programs can give no privileges to this process.
#[cfg(target_os = "linux")]
pub(crate) fn no_new_privileges() -> bool {
    nix::sys::prctl::get_no_new_privs().expect("prctl(2)")
}

/// Whether programs can give no privileges to this process (procctl(2)).
#[cfg(target_os = "freebsd")]
pub(crate) fn no_new_privileges() -> bool {
    // sys/procctl.h; libc does not have them.
    const PROC_NO_NEW_PRIVS_STATUS: c_int = 20;
    const PROC_NO_NEW_PRIVS_ENABLE: c_int = 1;
    let mut status: c_int = 0;
    // SAFETY: the command fills in an int. Process 0 of P_PID is the caller.
    Errno::result(unsafe {
        libc::procctl(libc::P_PID, 0, PROC_NO_NEW_PRIVS_STATUS, (&raw mut status).cast())
    })
    .expect("procctl(2)");
    status == PROC_NO_NEW_PRIVS_ENABLE
}

macro_rules! limits {
    ($($name:ident),+ $(,)?) => {
        vec![$((stringify!($name), {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: the kernel fills in the structure.
            Errno::result(unsafe { libc::getrlimit(libc::$name, &raw mut limit) })
                .expect("getrlimit(2)");
            [limit.rlim_cur, limit.rlim_max]
        })),+]
    };
}

/// What this process may use: the soft and the hard limit of everything.
#[cfg(target_os = "linux")]
pub(crate) fn limits() -> Vec<(&'static str, [libc::rlim_t; 2])> {
    limits![
        RLIMIT_AS,
        RLIMIT_CORE,
        RLIMIT_CPU,
        RLIMIT_DATA,
        RLIMIT_FSIZE,
        RLIMIT_LOCKS,
        RLIMIT_MEMLOCK,
        RLIMIT_MSGQUEUE,
        RLIMIT_NICE,
        RLIMIT_NOFILE,
        RLIMIT_NPROC,
        RLIMIT_RSS,
        RLIMIT_RTPRIO,
        RLIMIT_RTTIME,
        RLIMIT_SIGPENDING,
        RLIMIT_STACK,
    ]
}

/// What this process may use: the soft and the hard limit of everything.
#[cfg(target_os = "freebsd")]
pub(crate) fn limits() -> Vec<(&'static str, [libc::rlim_t; 2])> {
    limits![
        RLIMIT_AS,
        RLIMIT_CORE,
        RLIMIT_CPU,
        RLIMIT_DATA,
        RLIMIT_FSIZE,
        RLIMIT_KQUEUES,
        RLIMIT_MEMLOCK,
        RLIMIT_NOFILE,
        RLIMIT_NPROC,
        RLIMIT_NPTS,
        RLIMIT_RSS,
        RLIMIT_SBSIZE,
        RLIMIT_STACK,
        RLIMIT_SWAP,
        RLIMIT_UMTXP,
    ]
}
