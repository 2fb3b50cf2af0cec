//! What a plan has done to interfaces, each deed told to the journal before it is done.

use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use runj_faults::{Point, at};
use runj_jail::Jail;
use runj_spec::{InterfaceName, Sourced};

use crate::deed::{Deed, Journal};
use crate::error::Error;
use crate::plan::{Alias, Plan};
use crate::{host, sys};

impl Plan {
    /// Does what the host needs before the jail is created: adds the jail's addresses to the
    /// interface that is to carry them (jail(8), `interface`).
    ///
    /// An address that the interface has already is left as it is, and not recorded, so that it
    /// stays when the jail goes.
    ///
    /// # Errors
    ///
    /// When the interface does not exist or does not take an address, or the journal fails. What
    /// was done until then is in the journal, for the caller to undo.
    pub fn prepare(&self, journal: &mut dyn Journal) -> Result<(), Error> {
        self.aliases.iter().try_for_each(|alias| add(alias, journal))
    }

    /// Does what needs the jail: moves interfaces into it (jail(8), `vnet.interface`), and waits
    /// until the kernel lets its IPv6 addresses be used.
    ///
    /// # Errors
    ///
    /// When an interface does not exist or cannot move, another machine has one of the IPv6
    /// addresses, or the journal fails. What was done until then is in the journal, for the caller
    /// to undo.
    pub fn furnish(&self, jail: Jail, journal: &mut dyn Journal) -> Result<(), Error> {
        self.moves.iter().try_for_each(|interface| move_in(interface, jail, journal))?;
        wait_usable(&self.aliases)
    }
}

fn add(alias: &Alias, journal: &mut dyn Journal) -> Result<(), Error> {
    let Alias { interface: Sourced { value: interface, origin }, address, prefix } = alias;
    let (address, given) = (address.value, &address.origin);
    if host::has_address(interface, address).map_err(Error::Addresses)? {
        tracing::debug!(%interface, %address, "the interface has the address already");
        return Ok(());
    }
    let deed = Deed::Alias { interface: interface.clone(), address, prefix: *prefix };
    record(journal, interface, deed)?;
    let result = at(Point::AddAlias)
        .map_err(Errno::from)
        .and_then(|()| sys::add_alias(interface, address, *prefix));
    let (given, interface, prefix) = (given.clone(), interface.clone(), *prefix);
    match result {
        Ok(()) => {
            tracing::debug!(%interface, %address, prefix, "added alias");
            Ok(())
        }
        Err(errno @ Errno::ENXIO) => {
            Err(Error::NoInterface { origin: origin.clone(), interface, errno })
        }
        Err(errno @ Errno::EEXIST) => {
            Err(Error::AddressTaken { origin: given, interface, address, prefix, errno })
        }
        Err(errno) => Err(Error::AddAlias { origin: given, interface, address, prefix, errno }),
    }
}

fn move_in(
    interface: &Sourced<InterfaceName>,
    jail: Jail,
    journal: &mut dyn Journal,
) -> Result<(), Error> {
    let Sourced { value: interface, origin } = interface;
    record(journal, interface, Deed::Moved { interface: interface.clone() })?;
    let (origin, interface) = (origin.clone(), interface.clone());
    let moved =
        at(Point::MoveIn).map_err(Errno::from).and_then(|()| sys::move_in(&interface, jail));
    match moved {
        Ok(()) => {
            tracing::debug!(%interface, jid = %jail.jid(), "moved interface into jail");
            Ok(())
        }
        // ENXIO is the jail's as well.
        Err(errno @ Errno::ENXIO) if !host::has_interface(&interface) => {
            Err(Error::NoInterface { origin, interface, errno })
        }
        Err(errno @ Errno::EEXIST) => Err(Error::NameTaken { origin, interface, errno }),
        Err(errno) => Err(Error::MoveIn { origin, interface, jid: jail.jid(), errno }),
    }
}

fn record(journal: &mut dyn Journal, interface: &InterfaceName, deed: Deed) -> Result<(), Error> {
    let interface = interface.clone();
    journal.record(deed).map_err(|source| Error::Journal { interface, source })
}

/// Waits until duplicate address detection is over (RFC 4862, some two seconds after an IPv6
/// address was added): until then bind(2) to the address fails with `EADDRNOTAVAIL`.
fn wait_usable(aliases: &[Alias]) -> Result<(), Error> {
    // A link that is down never gets there, which is no reason to refuse a container.
    const PATIENCE: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + PATIENCE;
    for Alias { interface, address, .. } in aliases {
        let IpAddr::V6(ip6) = address.value else { continue };
        let (interface, origin) = (&interface.value, &address.origin);
        loop {
            match sys::readiness(interface, ip6).map_err(Error::Addresses)? {
                sys::Readiness::Ready => break,
                sys::Readiness::Duplicate => {
                    return Err(Error::Duplicate {
                        origin: origin.clone(),
                        interface: interface.clone(),
                        address: address.value,
                    });
                }
                sys::Readiness::Tentative if Instant::now() < deadline => thread::sleep(PAUSE),
                sys::Readiness::Tentative => {
                    tracing::warn!(
                        %interface, address = %ip6,
                        "the address cannot be used yet: its link may be down"
                    );
                    break;
                }
            }
        }
    }
    Ok(())
}
