//! What a process in a jail sees.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pipe};
use runj_jail::{Forked, Jail};

/// What `act` says in a process in the jail.
pub(crate) fn inside(jail: Jail, act: impl FnOnce() -> String) -> String {
    let attachment = jail.attachment().unwrap();
    let (reading, writing) = pipe().unwrap();
    // SAFETY: this process has one thread (main.rs), so that the child may do what it likes.
    match unsafe { attachment.fork() }.unwrap() {
        Forked::Child => {
            drop(reading);
            let said = catch_unwind(AssertUnwindSafe(|| {
                attachment.enter().unwrap();
                File::from(writing).write_all(act().as_bytes()).unwrap();
            }));
            // A panic has told about itself on stderr.
            let code = i32::from(said.is_err());
            // SAFETY: takes no pointer and does not return.
            unsafe { libc::_exit(code) }
        }
        Forked::Parent(pid) => {
            drop(writing);
            let mut said = String::new();
            File::from(reading).read_to_string(&mut said).unwrap();
            let status = waitpid(Pid::from_raw(pid), None).unwrap();
            assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}: {said}");
            said
        }
    }
}

/// What comes of asking for a socket of a family in the jail: nothing, or an errno.
pub(crate) fn socket(jail: Jail, family: i32) -> Result<(), Errno> {
    let said = inside(jail, || {
        // SAFETY: the call takes no pointer.
        let made = Errno::result(unsafe { libc::socket(family, libc::SOCK_STREAM, 0) });
        made.map_or_else(|errno| (errno as i32).to_string(), |_| "0".to_owned())
    });
    match said.parse().unwrap() {
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno)),
    }
}
