//! Makes a jail, runs a command in it and removes the jail again:
//!
//! ```text
//! run_in_jail ROOT COMMAND [ARGUMENT...]
//! ```
//!
//! The jail shares the network of the host. On Linux it is emulated, see docs/development-host.md.

use std::error::Error;
use std::ffi::CString;
use std::process::ExitCode;
use std::time::Duration;

use runj_jail::{Jail, Jailsys, Params};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: run_in_jail ROOT COMMAND [ARGUMENT...]")?;
    let command = arguments.map(CString::new).collect::<Result<Vec<_>, _>>()?;

    let jail = Jail::create(
        &Params::new()
            .string("name", format!("example-{}", std::process::id()))
            .string("path", root)
            .string("host.hostname", "example")
            .jailsys("ip4", Jailsys::Inherit)
            .jailsys("ip6", Jailsys::Inherit)
            .flag("persist", true),
    )?;
    let ran = sys::run(jail, &command);
    jail.remove()?;
    if !jail.wait_gone(Duration::from_secs(10))? {
        return Err(format!("jail {} is still dying", jail.jid()).into());
    }
    Ok(ExitCode::from(ran?))
}

/// The part that forks.
#[allow(unsafe_code)]
mod sys {
    use std::error::Error;
    use std::ffi::{CStr, CString};
    use std::ptr;

    use runj_jail::{Forked, Jail};

    /// Runs a program in the jail; its exit code, or 128 and the signal that ended it.
    pub(super) fn run(jail: Jail, command: &[CString]) -> Result<u8, Box<dyn Error>> {
        let mut arguments: Vec<*const libc::c_char> =
            command.iter().map(|argument| argument.as_ptr()).collect();
        arguments.push(ptr::null());
        let attachment = jail.attachment()?;
        // SAFETY: the child allocates nothing and ends in execve(2) or _exit(2).
        match unsafe { attachment.fork() }? {
            Forked::Child => {
                if attachment.enter().is_ok() {
                    // SAFETY: an array of C strings that ends in a null pointer. The first one is
                    // the program; without any it is null, which the call refuses.
                    unsafe { libc::execvp(arguments[0], arguments.as_ptr()) };
                }
                complain(c"run_in_jail: cannot run the command in the jail\n");
                // SAFETY: takes no pointer and does not return.
                unsafe { libc::_exit(127) }
            }
            Forked::Parent(child) => wait(child),
        }
    }

    fn complain(message: &CStr) {
        let bytes = message.to_bytes();
        // SAFETY: the pointer is to as many bytes as the length says.
        unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    }

    fn wait(child: i32) -> Result<u8, Box<dyn Error>> {
        let mut status = 0;
        // SAFETY: the status is an int that the call may write.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } == -1 {
            return Err(std::io::Error::last_os_error().into());
        }
        let code = if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else {
            128 + libc::WTERMSIG(status)
        };
        Ok(u8::try_from(code)?)
    }
}
