//! `jail_remove(2)`.

use nix::errno::Errno;

use super::registry::Registry;
use crate::error::Error;
use crate::jid::Jid;

/// `jail_remove(2)`.
pub(crate) fn jail_remove(jid: Jid) -> Result<(), Error> {
    let mut registry = Registry::open()?;
    match registry.prisons().find(jid.as_raw()) {
        None => Err(Error::Refused { call: "jail_remove(2)", errno: Errno::EINVAL, message: None }),
        Some(prison) if prison.dying => Ok(()),
        Some(_) => registry.kill(jid.as_raw()),
    }
}
