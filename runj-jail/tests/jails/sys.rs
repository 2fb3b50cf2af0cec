//! Running code of the test itself inside a jail.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pipe};
use runj_jail::{Forked, Jail};

/// A process of the test in a jail.
pub(crate) struct Inside {
    pub(crate) pid: i32,
    output: File,
}

impl Inside {
    /// Reads the next line that it wrote.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while self.output.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    /// Waits for its end, whoever else may still write.
    pub(crate) fn end(self) -> WaitStatus {
        waitpid(Pid::from_raw(self.pid), None).unwrap()
    }

    /// Reads the rest of what it writes and waits for its end.
    pub(crate) fn finish(mut self) -> (String, WaitStatus) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        (text, self.end())
    }
}

/// Starts a process that enters the jail and then does `act`, which may write to its argument.
pub(crate) fn start(jail: Jail, act: impl FnOnce(&mut File)) -> Inside {
    let attachment = jail.attachment().unwrap();
    let (reading, writing) = pipe().unwrap();
    // SAFETY: this process has one thread (main.rs), so that the child may do what it likes.
    match unsafe { attachment.fork() }.unwrap() {
        Forked::Child => {
            drop(reading);
            let mut output = File::from(writing);
            let act = std::panic::AssertUnwindSafe(|| match attachment.enter() {
                Ok(()) => act(&mut output),
                Err(errno) => write!(output, "not entered: {errno}").unwrap(),
            });
            // A panic has told about itself on stderr.
            let code = i32::from(std::panic::catch_unwind(act).is_err());
            // SAFETY: takes no pointer and does not return.
            unsafe { libc::_exit(code) }
        }
        Forked::Parent(pid) => {
            drop::<OwnedFd>(writing);
            Inside { pid, output: File::from(reading) }
        }
    }
}

/// What `act` writes in the jail.
pub(crate) fn run(jail: Jail, act: impl FnOnce(&mut File)) -> String {
    let (text, status) = start(jail, act).finish();
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}: {text}");
    text
}

/// Tries to enter the jail.
pub(crate) fn enter(jail: Jail) -> Result<(), Errno> {
    enter_with(jail, || ())
}

/// Tries to enter the jail with what `open` has opened.
pub(crate) fn enter_with<T>(jail: Jail, open: impl FnOnce() -> T) -> Result<(), Errno> {
    // Linux sees here already that a jail is gone, FreeBSD later.
    let attachment = jail.attachment().map_err(|error| error.errno().unwrap())?;
    // SAFETY: this process has one thread.
    match unsafe { attachment.fork() }.unwrap() {
        Forked::Child => {
            let opened = open();
            let code = attachment.enter().map_or_else(|errno| errno as i32, |()| 0);
            drop(opened);
            // SAFETY: takes no pointer and does not return.
            unsafe { libc::_exit(code) }
        }
        Forked::Parent(pid) => match waitpid(Pid::from_raw(pid), None).unwrap() {
            WaitStatus::Exited(_, 0) => Ok(()),
            WaitStatus::Exited(_, code) => Err(Errno::from_raw(code)),
            status => panic!("{status:?}"),
        },
    }
}

/// `socket(2)`; the errno or 0.
pub(crate) fn socket(family: i32, kind: i32, protocol: i32) -> i32 {
    // SAFETY: the call takes no pointer.
    let fd = unsafe { libc::socket(family, kind, protocol) };
    if fd == -1 {
        return Errno::last_raw();
    }
    // SAFETY: just made, and nobody else's.
    unsafe { libc::close(fd) };
    0
}

/// A System V shared memory segment, which lives as long as this.
pub(crate) struct Segment(i32);

impl Segment {
    pub(crate) fn new() -> Self {
        // SAFETY: the call takes no pointer.
        let id = unsafe { libc::shmget(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600) };
        Self(Errno::result(id).unwrap())
    }

    /// Whether it is there, for whoever asks.
    pub(crate) fn stat(&self) -> Result<(), Errno> {
        let mut stat = std::mem::MaybeUninit::<libc::shmid_ds>::uninit();
        // SAFETY: the kernel fills in the buffer or fails.
        let result = unsafe { libc::shmctl(self.0, libc::IPC_STAT, stat.as_mut_ptr()) };
        Errno::result(result).map(drop)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: the command does not look at the pointer.
        unsafe { libc::shmctl(self.0, libc::IPC_RMID, std::ptr::null_mut()) };
    }
}

/// Makes a child that ends when it is told to; for jails that are to have several processes.
pub(crate) fn fork_sleeper() -> i32 {
    // SAFETY: this process has one thread.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Parent { child } => child.as_raw(),
        nix::unistd::ForkResult::Child => sleep_for_ever(),
    }
}

/// The same where the kernel may refuse it.
pub(crate) fn try_fork_sleeper() -> Result<i32, Errno> {
    // SAFETY: this process has one thread.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok(child.as_raw()),
        nix::unistd::ForkResult::Child => sleep_for_ever(),
    }
}

/// Maps so many bytes and writes to each page of them.
pub(crate) fn use_memory(bytes: usize) -> Result<(), Errno> {
    let (protection, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
    // SAFETY: a new mapping wherever there is room for it.
    let mapped = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    for offset in (0..bytes).step_by(4096) {
        // SAFETY: inside the mapping, which nobody else knows of and which is never unmapped.
        unsafe { mapped.cast::<u8>().add(offset).write_volatile(1) };
    }
    Ok(())
}

/// Uses so much time of the processor.
pub(crate) fn burn(time: std::time::Duration) {
    let used = || {
        let mut used = std::mem::MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: the kernel fills in the buffer.
        Errno::result(unsafe { libc::getrusage(libc::RUSAGE_SELF, used.as_mut_ptr()) }).unwrap();
        // SAFETY: filled in.
        let used = unsafe { used.assume_init() };
        let micros = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
        std::time::Duration::from_micros(
            u64::try_from(micros(used.ru_utime) + micros(used.ru_stime)).unwrap(),
        )
    };
    while used() < time {}
}

/// Waits for a signal that ends the process.
pub(crate) fn sleep_for_ever() -> ! {
    loop {
        nix::unistd::pause();
    }
}

/// Binds a socket to an address in memory that cannot be written to; the address that it has
/// then, or the errno.
#[cfg(target_os = "linux")]
pub(crate) fn bind_constant_loopback() -> String {
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, getsockname, socket};

    // What a C program keeps in a `static const struct sockaddr_in`.
    static LOOPBACK: libc::sockaddr_in = libc::sockaddr_in {
        // AF_INET, which libc has as an int.
        sin_family: 2,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    };
    let kind = SockType::Stream;
    let fd = socket(AddressFamily::Inet, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
    let length = libc::socklen_t::try_from(size_of_val(&LOOPBACK)).unwrap();
    // SAFETY: the pointer is to as many bytes as the length says, and the call only reads them.
    let result = unsafe { libc::bind(fd.as_raw_fd(), (&raw const LOOPBACK).cast(), length) };
    match Errno::result(result) {
        Ok(_) => getsockname::<SockaddrIn>(fd.as_raw_fd()).unwrap().ip().to_string(),
        Err(errno) => errno.to_string(),
    }
}

/// What has the kernel find no arguments of a process where it looks for them: in what `ps_strings`
/// of the process's own memory points to (sys/exec.h), once it remembers none itself.
#[cfg(target_os = "freebsd")]
pub(crate) fn spoiler() -> impl FnOnce() {
    spoil_arguments
}

#[cfg(target_os = "freebsd")]
fn spoil_arguments() {
    #[repr(C)]
    struct Strings {
        arguments: *mut *mut libc::c_char,
        number_of_arguments: libc::c_uint,
    }
    let mut address = 0usize;
    let mut length = size_of::<usize>();
    // SAFETY: the buffer is as long as `length` says.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.ps_strings".as_ptr(),
            (&raw mut address).cast(),
            &mut length,
            std::ptr::null(),
            0,
        )
    };
    Errno::result(result).unwrap();
    let strings = std::ptr::with_exposed_provenance_mut::<Strings>(address);
    // SAFETY: the kernel has put it there at execve(2), and nobody else uses it.
    unsafe { (*strings).number_of_arguments = libc::c_uint::MAX };
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ARGS, -1];
    // SAFETY: nothing is read from or written to the buffers.
    let result = unsafe {
        libc::sysctl(
            mib.as_ptr(),
            4,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            c"".as_ptr().cast(),
            0,
        )
    };
    Errno::result(result).unwrap();
}

/// What has the kernel find no arguments of a process: it writes over them. In an emulated jail
/// there is no /proc to ask where they are.
#[cfg(target_os = "linux")]
pub(crate) fn spoiler() -> impl FnOnce() {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // The third field of proc_pid_stat(5) is the first one here.
    let address = |field: usize| fields[field - 3].parse::<usize>().unwrap();
    let (start, end) = (address(48), address(49));
    // SAFETY: the kernel has put them there at execve(2), and nobody reads them in the child.
    move || unsafe {
        std::ptr::with_exposed_provenance_mut::<u8>(start).write_bytes(0, end - start);
    }
}
