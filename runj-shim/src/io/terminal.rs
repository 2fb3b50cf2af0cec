//! Terminals.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::termios::Winsize;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::sys::pollable;

/// A socket at which `runj` leaves a terminal.
#[derive(Debug)]
pub(crate) struct ConsoleSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ConsoleSocket {
    pub(crate) fn listen(path: PathBuf) -> io::Result<Self> {
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the terminal that has been left.
    pub(crate) fn take(self) -> io::Result<OwnedFd> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut name = [0; 256];
        let mut into = [io::IoSliceMut::new(&mut name)];
        rustix::net::recvmsg(&stream, &mut into, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let mut descriptors = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        descriptors.next().ok_or_else(|| io::Error::other("runj left none"))
    }
}

impl Drop for ConsoleSocket {
    fn drop(&mut self) {
        // It may be gone with the directory.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The other side of a process's terminal, and the tasks that copy from and to it.
#[derive(Debug)]
pub(super) struct Terminal {
    master: Arc<AsyncFd<OwnedFd>>,
    input: JoinHandle<()>,
    output: JoinHandle<()>,
    ended: watch::Sender<bool>,
}

impl Terminal {
    /// Copies from `stdin` to the terminal and from there to `stdout`.
    pub(super) fn start(master: OwnedFd, stdin: OwnedFd, stdout: OwnedFd) -> io::Result<Self> {
        let master = Arc::new(pollable(master)?);
        let (ended, ending) = watch::channel(false);
        let input = match Pollable::new(stdin)? {
            // There is nothing to be typed.
            Pollable::Never(_) => tokio::spawn(async {}),
            Pollable::Polled(stdin) => {
                let to = Arc::clone(&master);
                tokio::spawn(async move {
                    let _ = copy_input(&stdin, &to).await;
                })
            }
        };
        let from = Arc::clone(&master);
        let to = Pollable::new(stdout)?;
        let output = tokio::spawn(async move {
            let _ = copy_output(&from, &to, ending).await;
        });
        Ok(Self { master, input, output, ended })
    }

    pub(super) fn resize(&self, columns: u32, rows: u32) -> io::Result<()> {
        let number = |number| u16::try_from(number).map_err(io::Error::other);
        let size =
            Winsize { ws_row: number(rows)?, ws_col: number(columns)?, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(&*self.master, size)?)
    }

    pub(super) fn ended(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until all output is copied, but no longer than `limit`.
    pub(super) async fn finish(self, limit: Duration) {
        self.input.abort();
        self.ended();
        let Self { mut output, .. } = self;
        if timeout(limit, &mut output).await.is_err() {
            output.abort();
        }
    }
}

/// A descriptor that may or may not be waited for.
enum Pollable {
    Polled(AsyncFd<OwnedFd>),
    /// A regular file or the like, which never makes anybody wait.
    Never(OwnedFd),
}

impl Pollable {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode);
        match kind {
            rustix::fs::FileType::Fifo => Ok(Self::Polled(pollable(fd)?)),
            _ => Ok(Self::Never(fd)),
        }
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match self {
                Self::Never(fd) => rustix::io::write(fd, bytes)?,
                Self::Polled(fd) => write(fd, bytes).await?,
            };
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

async fn write(fd: &AsyncFd<OwnedFd>, bytes: &[u8]) -> io::Result<usize> {
    fd.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, bytes)?)).await
}

/// Copies what is typed, until nobody is left who could.
async fn copy_input(from: &AsyncFd<OwnedFd>, to: &AsyncFd<OwnedFd>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read =
            from.async_io(Interest::READABLE, |fd| Ok(rustix::io::read(fd, &mut buffer)?)).await?;
        let mut bytes = &buffer[..read];
        if bytes.is_empty() {
            return Ok(());
        }
        while !bytes.is_empty() {
            let written = write(to, bytes).await?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
    }
}

/// Copies what the terminal shows, until it is closed, or the process has ended and what it wrote
/// is read: others may hold the terminal open for longer.
async fn copy_output(
    from: &AsyncFd<OwnedFd>,
    to: &Pollable,
    mut ended: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let read = if *ended.borrow() {
            match rustix::io::read(from, &mut buffer) {
                Err(Errno::AGAIN) => return Ok(()),
                read => read,
            }
        } else {
            tokio::select! {
                biased;
                read = from.async_io(Interest::READABLE, |fd| {
                    match rustix::io::read(fd, &mut buffer) {
                        Err(Errno::AGAIN) => Err(io::ErrorKind::WouldBlock.into()),
                        read => Ok(read),
                    }
                }) => read?,
                _ = ended.changed() => continue,
            }
        };
        match read {
            // Linux calls a terminal that nobody has open any more an I/O error.
            Ok(0) | Err(Errno::IO) => return Ok(()),
            Ok(length) => {
                // The process is not to wait for a file that cannot be written to.
                if let Err(error) = to.write_all(&buffer[..length]).await {
                    tracing::debug!("the output of a terminal is lost: {error}");
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
