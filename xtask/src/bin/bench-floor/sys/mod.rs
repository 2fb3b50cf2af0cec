//! Jails and mounts, by the calls of the platform.

#[cfg(target_os = "freebsd")]
#[path = "freebsd.rs"]
mod platform;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;

use std::ffi::{CString, c_char};
use std::io;
use std::ptr;

use nix::errno::Errno;

pub(crate) use platform::{create, enter, fork_for, remove};

/// Which side of a fork this is.
pub(crate) enum Forked {
    Parent(i32),
    Child,
}

/// fork(2): this program has one thread, so that a child may do anything.
fn fork() -> io::Result<Forked> {
    // SAFETY: see above.
    match Errno::result(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// execve(2) with an empty environment; comes back with an error only.
pub(crate) fn exec(argv: &[CString]) -> Errno {
    let mut pointers: Vec<*const c_char> = argv.iter().map(|word| word.as_ptr()).collect();
    pointers.push(ptr::null());
    let environment: [*const c_char; 1] = [ptr::null()];
    // SAFETY: the lists are of live C strings and end with null.
    unsafe { libc::execve(pointers[0], pointers.as_ptr(), environment.as_ptr()) };
    Errno::last()
}
