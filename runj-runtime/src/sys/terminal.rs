//! Pseudo-terminals.

use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::pty::PtyMaster;

/// The name of the terminal that belongs to `master` (ptsname(3)).
pub(crate) fn terminal_name(master: &PtyMaster) -> Result<String, Errno> {
    let mut name = [0u8; 64];
    // SAFETY: the buffer is as long as we say.
    let errno =
        unsafe { libc::ptsname_r(master.as_raw_fd(), name.as_mut_ptr().cast(), name.len()) };
    match errno {
        0 => {
            let text = name.split(|&b| b == 0).next().unwrap_or_default();
            Ok(String::from_utf8_lossy(text).into_owned())
        }
        // POSIX returns the error number; older C libraries return -1 and set it.
        -1 => Err(Errno::last()),
        errno => Err(Errno::from_raw(errno)),
    }
}

/// The descriptor of `master`, which nix hands out only as a number.
pub(crate) fn owned(master: PtyMaster) -> OwnedFd {
    // SAFETY: `into_raw_fd` gives up the only owner there was.
    unsafe { OwnedFd::from_raw_fd(master.into_raw_fd()) }
}

/// Sets the size of a terminal in characters (tty(4), `TIOCSWINSZ`).
pub(crate) fn set_terminal_size(terminal: impl AsFd, rows: u16, columns: u16) -> Result<(), Errno> {
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads a winsize.
    let result =
        unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(result).map(drop)
}

/// Gives one terminal the size of another (tty(4), `TIOCGWINSZ`, `TIOCSWINSZ`).
///
/// # Errors
///
/// `ENOTTY` when one of them is no terminal.
pub fn copy_terminal_size(from: impl AsFd, to: impl AsFd) -> Result<(), Errno> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ fills in a winsize.
    let result = unsafe { libc::ioctl(from.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    Errno::result(result)?;
    set_terminal_size(to, size.ws_row, size.ws_col)
}
