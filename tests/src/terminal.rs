//! The far end of a container's terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, unlockpt};
use serde_json::Value;

use crate::sys;
use crate::wait::DEADLINE;

/// A socket at which a terminal is expected.
#[derive(Debug)]
pub struct ConsoleSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ConsoleSocket {
    /// Listens at `path`.
    ///
    /// # Panics
    ///
    /// When that is not possible.
    #[must_use]
    pub fn listen(path: PathBuf) -> Self {
        let listener = UnixListener::bind(&path).unwrap();
        Self { listener, path }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the terminal that is sent.
    ///
    /// # Panics
    ///
    /// When none is.
    #[must_use]
    pub fn receive(&self) -> Terminal {
        wait_readable(&self.listener, Instant::now() + DEADLINE, "a terminal");
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let (name, descriptor) = sys::receive_descriptor(&stream).unwrap();
        assert!(!name.is_empty(), "a terminal has a name");
        Terminal::new(descriptor.expect("a terminal"))
    }
}

/// A terminal as the one sees it who sits in front of it.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    seen: String,
}

impl Terminal {
    /// A new terminal, and the end that a program is given.
    ///
    /// Children that are not given that end lose it when they execute their programs.
    ///
    /// # Panics
    ///
    /// When there is none to be had.
    #[must_use]
    pub fn open() -> (Self, OwnedFd) {
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = sys::terminal_name(&master).unwrap();
        let no_control = OFlag::O_NOCTTY.bits();
        let slave = OpenOptions::new().read(true).write(true).custom_flags(no_control).open(name);
        (Self::new(sys::owned(master)), slave.unwrap().into())
    }

    /// The terminal that `master` is the far end of.
    #[must_use]
    pub fn new(master: OwnedFd) -> Self {
        Self { master: master.into(), seen: String::new() }
    }

    /// Types `text`.
    ///
    /// # Panics
    ///
    /// When the terminal is gone.
    pub fn write(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Changes its size.
    ///
    /// # Panics
    ///
    /// When the terminal is gone.
    pub fn resize(&self, rows: u16, columns: u16) {
        sys::set_size(&self.master, rows, columns).unwrap();
    }

    /// Waits until `text` has appeared, and forgets everything up to it.
    ///
    /// # Panics
    ///
    /// When it does not appear.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        let _ = self.until(text);
    }

    /// Waits until `text` has appeared; all that has until then, and it.
    ///
    /// # Panics
    ///
    /// When it does not appear.
    #[track_caller]
    #[must_use]
    pub fn until(&mut self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.seen.find(text) {
                return self.seen.drain(..at + text.len()).collect();
            }
            let read = self.read(deadline, text);
            assert!(read, "{text:?} has not appeared before the end of: {:?}", self.seen);
        }
    }

    /// The next line that is one of JSON.
    ///
    /// # Panics
    ///
    /// When none appears.
    #[track_caller]
    #[must_use]
    pub fn json(&mut self) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            while let Some(end) = self.seen.find('\n') {
                let line: String = self.seen.drain(..=end).collect();
                if let Ok(value) = serde_json::from_str(&line) {
                    return value;
                }
            }
            assert!(self.read(deadline, "a line"), "no line of JSON");
        }
    }

    /// Reads until the terminal is closed; what has appeared since the last text expected.
    ///
    /// # Panics
    ///
    /// When it is not closed in time.
    #[must_use]
    pub fn rest(mut self) -> String {
        let deadline = Instant::now() + DEADLINE;
        while self.read(deadline, "the end") {}
        self.seen
    }

    /// Reads something; `false` at the end.
    #[track_caller]
    fn read(&mut self, deadline: Instant, what: &str) -> bool {
        wait_readable(&self.master, deadline, what);
        let mut buffer = [0; 4096];
        // Linux calls a terminal that nobody has open an I/O error.
        let length = self.master.read(&mut buffer).unwrap_or(0);
        self.seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
        length > 0
    }
}

#[track_caller]
fn wait_readable(fd: &impl AsFd, deadline: Instant, what: &str) {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left).unwrap();
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    assert!(poll(&mut fds, timeout).unwrap() > 0, "waited in vain for {what:?}");
}
