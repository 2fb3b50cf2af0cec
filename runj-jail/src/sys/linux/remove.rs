//! `jail_remove(2)`.

use std::time::Duration;

use nix::errno::Errno;

use super::registry::Registry;
use crate::error::Error;
use crate::jid::Jid;

/// How long a holder may take to end that has nobody to wait for.
const MOMENT: Duration = Duration::from_millis(20);

/// `jail_remove(2)`.
pub(crate) fn jail_remove(jid: Jid) -> Result<(), Error> {
    let mut registry = Registry::open_for(jid.as_raw())?;
    let holder = match registry.prisons().find(jid.as_raw()) {
        None => {
            let errno = Errno::EINVAL;
            return Err(Error::Refused { call: "jail_remove(2)", errno, message: None });
        }
        Some(prison) if prison.dying => return Ok(()),
        Some(prison) => prison.holder,
    };
    registry.kill(jid.as_raw())?;
    drop(registry);
    // FreeBSD's kernel is done when the call returns, unless something lives on in the jail. So the
    // holder gets a moment to end.
    if let Some(holder) = holder {
        holder.process().wait(MOMENT)?;
    }
    Ok(())
}
