//! The names of the host, as a jail shows them (uts_namespaces(7)).

use nix::errno::Errno;
use nix::sys::utsname::uname;
use nix::unistd::sethostname;

use super::namespaces::{self, Kind};
use super::prison::{Prison, Prisons};
use crate::error::Error;

/// `host.hostname` and `host.domainname`.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) host: String,
    pub(super) domain: String,
}

/// The names that a jail shows now; none when the jail that they belong to is gone.
pub(super) fn of(prisons: &Prisons, prison: &Prison) -> Result<Names, Error> {
    let Some(holder) = prisons.owner(prison, Kind::Uts).holder else { return current() };
    match namespaces::open(holder, Kind::Uts)? {
        Some(namespace) => namespaces::inside(&namespace, Kind::Uts, current),
        None => Ok(Names::default()),
    }
}

fn current() -> Result<Names, Error> {
    let uts = uname().map_err(Error::system("uname(2)"))?;
    Ok(Names {
        host: uts.nodename().to_string_lossy().into_owned(),
        domain: uts.domainname().to_string_lossy().into_owned(),
    })
}

/// Sets the names of the namespace that this thread is in.
pub(super) fn set(host: Option<&str>, domain: Option<&str>) -> Result<(), Error> {
    if let Some(host) = host {
        sethostname(host).map_err(Error::system("sethostname(2)"))?;
    }
    if let Some(domain) = domain {
        // SAFETY: the pointer is to as many bytes as the length says.
        Errno::result(unsafe { libc::setdomainname(domain.as_ptr().cast(), domain.len()) })
            .map_err(Error::system("setdomainname(2)"))?;
    }
    Ok(())
}
