//! What a process in a jail sees.

#![allow(unsafe_code)]

use std::ffi::CString;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use runj_jail::{Forked, Jail};
use runj_spec::InterfaceName;

/// Whether a process in the jail finds an interface of that name.
pub(crate) fn has_interface_inside(jail: Jail, interface: &InterfaceName) -> bool {
    const ABSENT: i32 = 1;
    const FAILED: i32 = 2;
    let name = CString::new(interface.as_ref()).unwrap();
    let attachment = jail.attachment().unwrap();
    // SAFETY: the child makes system calls only, and allocates nothing.
    let pid = match unsafe { attachment.fork() }.unwrap() {
        Forked::Parent(pid) => Pid::from_raw(pid),
        Forked::Child => {
            let status = match attachment.enter() {
                Err(_) => FAILED,
                // SAFETY: the name ends in a NUL; the function is a socket and an ioctl.
                Ok(()) => match unsafe { libc::if_nametoindex(name.as_ptr()) } {
                    0 => ABSENT,
                    _ => 0,
                },
            };
            // SAFETY: the call takes no pointer and does not come back.
            unsafe { libc::_exit(status) }
        }
    };
    match waitpid(pid, None).unwrap() {
        WaitStatus::Exited(_, 0) => true,
        WaitStatus::Exited(_, ABSENT) => false,
        other => panic!("{other:?}"),
    }
}
