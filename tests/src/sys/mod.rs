//! What the kernel tells and does, one module per platform behind one interface.
//!
//! `unsafe` lives below this module, and for the probe in its own `sys`.

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::pty::PtyMaster;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, Signal};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

pub use platform::{
    FewProcesses, descriptors, exchange, is_stopped, marked_processes, memory, memory_use,
};
pub(crate) use platform::{
    become_reaper, command_line, mount_tmpfs, mounts, remount_tmpfs, unmount, userland,
};

/// What a process has in memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub struct MemoryUse {
    /// All of it.
    pub resident: usize,
    /// The same, where what is shared counts in part; FreeBSD does not tell.
    pub proportional: Option<usize>,
    /// What nobody shares. On FreeBSD it is what is resident of mappings that can be written to.
    pub private: usize,
}

/// A name for each [`FewProcesses`] of this host.
fn few_processes_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("runj-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Gives the command these descriptors as 3, 4 and so on.
pub(crate) fn descriptors_from_three(command: &mut Command, descriptors: Vec<OwnedFd>) {
    let count = i32::try_from(descriptors.len()).expect("a few descriptors");
    // Out of the way of the numbers that they are to have.
    let moved: Vec<OwnedFd> = descriptors
        .iter()
        .map(|fd| {
            let lowest = nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(3 + count);
            let fd = nix::fcntl::fcntl(fd, lowest).expect("fcntl(2)");
            // SAFETY: fcntl(2) has just made it, and nobody else owns it.
            unsafe { OwnedFd::from_raw_fd(fd) }
        })
        .collect();
    // SAFETY: dup2(2) is async-signal-safe, and the closure allocates nothing.
    unsafe {
        command.pre_exec(move || {
            for (fd, number) in moved.iter().zip(3..) {
                Errno::result(libc::dup2(fd.as_raw_fd(), number))?;
            }
            Ok(())
        });
    }
}

/// Lets the command have so many descriptors open at once.
pub(crate) fn limit_descriptors(command: &mut Command, most: u64) {
    // Its type differs between the platforms.
    #[allow(clippy::useless_conversion)]
    let most: libc::rlim_t = most.try_into().expect("a number of descriptors");
    // SAFETY: setrlimit(2) is async-signal-safe, and the closure allocates nothing.
    unsafe {
        command.pre_exec(move || Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?));
    }
}

/// Starts the command in a session of its own, controlled by the terminal on its standard input.
pub(crate) fn control_by_standard_input(command: &mut Command) {
    // SAFETY: both calls are async-signal-safe, and the closure allocates nothing.
    unsafe {
        command.pre_exec(|| {
            Errno::result(libc::setsid())?;
            #[allow(clippy::useless_conversion)]
            Errno::result(libc::ioctl(0, libc::TIOCSCTTY.into(), 0))?;
            Ok(())
        });
    }
}

/// Ignores some signals, and blocks them, in the process that becomes the command.
pub(crate) fn ignore_and_block_signals(command: &mut Command) {
    let signals = [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGCHLD];
    // SAFETY: the calls are async-signal-safe, and the closure allocates nothing.
    unsafe {
        command.pre_exec(move || {
            for signal in signals {
                nix::sys::signal::signal(signal, SigHandler::SigIgn)?;
            }
            SigSet::from_iter(signals).thread_block()?;
            Ok(())
        });
    }
}

/// Receives the bytes of one message and the descriptor that comes with them.
pub(crate) fn receive_descriptor(stream: &UnixStream) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut bytes = vec![0; 4096];
    let mut space = nix::cmsg_space!([i32; 4]);
    let (length, mut descriptors) = {
        let mut iov = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(stream.as_raw_fd(), &mut iov, Some(&mut space), flags)?;
        let mut descriptors = Vec::new();
        for part in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(fds) = part {
                // SAFETY: the kernel has just made them for us.
                descriptors.extend(fds.iter().map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
        (message.bytes, descriptors)
    };
    bytes.truncate(length);
    assert!(descriptors.len() <= 1, "more descriptors than one");
    Ok((bytes, descriptors.pop()))
}

/// The name of the terminal that belongs to `master` (ptsname(3)).
pub(crate) fn terminal_name(master: &PtyMaster) -> io::Result<String> {
    let mut name = [0u8; 64];
    // SAFETY: the buffer is as long as we say.
    let errno =
        unsafe { libc::ptsname_r(master.as_raw_fd(), name.as_mut_ptr().cast(), name.len()) };
    if errno != 0 {
        return Err(io::Error::from_raw_os_error(errno));
    }
    let text = name.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// The descriptor of `master`, which nix hands out only as a number.
pub(crate) fn owned(master: PtyMaster) -> OwnedFd {
    // SAFETY: `into_raw_fd` gives up the only owner there was.
    unsafe { OwnedFd::from_raw_fd(master.into_raw_fd()) }
}

/// Sets the size of a terminal.
pub(crate) fn set_size(terminal: impl AsFd, rows: u16, columns: u16) -> io::Result<()> {
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads a winsize.
    let result =
        unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(result)?;
    Ok(())
}
