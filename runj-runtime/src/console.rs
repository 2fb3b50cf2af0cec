//! Terminals of containers.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::pty::{grantpt, posix_openpt, unlockpt};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::sys::stat::Mode;
use runj_faults::{Point, at};
use runj_spec::Process;

use crate::error::Error;
use crate::input::Input;
use crate::sys;

/// Where a process's terminal comes from.
#[derive(Debug)]
pub(crate) enum Console {
    /// It has none and inherits the caller's standard streams.
    None,
    /// It has one of its own.
    Terminal(Pty),
}

/// A pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Pty {
    master: OwnedFd,
    pub(crate) slave: OwnedFd,
    /// Its path on the host, which is its path in the container's devfs as well.
    pub(crate) name: String,
}

impl Console {
    /// What `process` asks for: its user's, and of the size that it is to have. Without one that
    /// is that of the caller's own terminal, if the caller is to relay between the two.
    pub(crate) fn of(process: &Process, relayed: bool) -> Result<Self, Error> {
        if !process.terminal {
            return Ok(Self::None);
        }
        let pty = Pty::open(process)?;
        if relayed && process.console_size.is_none() {
            // The caller may have no terminal; then there is no size to give.
            let _ = sys::copy_terminal_size(std::io::stdin(), &pty.slave);
        }
        Ok(Self::Terminal(pty))
    }

    /// Gives the terminal's other side to whoever is to have it: the one at the socket, or the
    /// caller.
    pub(crate) fn hand_over(self, socket: Option<&Path>) -> Result<Option<OwnedFd>, Error> {
        match (self, socket) {
            (Self::None, _) => Ok(None),
            (Self::Terminal(pty), Some(socket)) => pty.send(socket).map(|()| None),
            (Self::Terminal(pty), None) => Ok(Some(pty.master)),
        }
    }
}

impl Pty {
    fn open(process: &Process) -> Result<Self, Error> {
        let failed = || Error::errno("process.terminal: cannot make a terminal");
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        at(Point::Terminal)?;
        let master = posix_openpt(flags).map_err(failed())?;
        grantpt(&master).map_err(failed())?;
        unlockpt(&master).map_err(failed())?;
        let name = sys::terminal_name(&master).map_err(failed())?;
        let slave = open(name.as_str(), flags, Mode::empty()).map_err(failed())?;
        if let Some(size) = &process.console_size {
            sys::set_terminal_size(&slave, size.height, size.width).map_err(failed())?;
        }
        // As the process's own, it can be opened again by its name inside.
        nix::unistd::fchown(&slave, Some(process.user.uid.into()), None).map_err(failed())?;
        let master: OwnedFd = sys::owned(master);
        Ok(Self { master, slave, name })
    }

    /// Hands the terminal's other side to whoever listens at `socket`, as runc does: the
    /// descriptor with SCM_RIGHTS, beside the terminal's name.
    fn send(&self, socket: &Path) -> Result<(), Error> {
        let failed = || Error::input(Input::ConsoleSocket, socket);
        at(Point::SendTerminal)?;
        let connection = sys::connect(socket).map_err(io::Error::from).map_err(failed())?;
        let fds = [self.master.as_raw_fd()];
        sendmsg::<()>(
            connection.as_raw_fd(),
            &[IoSlice::new(self.name.as_bytes())],
            &[ControlMessage::ScmRights(&fds)],
            MsgFlags::MSG_NOSIGNAL,
            None,
        )
        .map_err(io::Error::from)
        .map_err(failed())?;
        Ok(())
    }
}

/// Refuses a socket without a terminal, and a terminal that nobody would have.
pub(crate) fn check(
    process: &Process,
    place: &str,
    socket: Option<&Path>,
    relayed: bool,
) -> Result<(), Error> {
    match (process.terminal, socket) {
        (false, Some(socket)) => Err(Error::UnusableInput {
            input: Input::ConsoleSocket,
            value: format!("{socket:?}"),
            reason: format!("{place}.terminal is false, so there is no terminal to send"),
        }),
        (true, None) if !relayed => Err(Error::Unserved { place: format!("{place}.terminal") }),
        _ => Ok(()),
    }
}
