//! What is done to interfaces, told before it is done and undone afterwards.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use runj_jail::Jail;
use runj_spec::{InterfaceName, Sourced};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::Error;
use crate::plan::{Alias, Plan};
use crate::{host, sys};

/// One thing done to an interface of the host.
///
/// As JSON, `{"alias":{"interface":"lo1","address":"192.0.2.1","prefix":32}}` and
/// `{"moved":{"interface":"epair0b"}}`; the form is stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// An address was added to an interface that did not have it.
    Alias {
        /// The interface.
        #[serde(deserialize_with = "interface_name")]
        interface: InterfaceName,
        /// The address.
        address: IpAddr,
        /// Its prefix length in bits.
        prefix: u8,
    },
    /// An interface was moved into the jail.
    Moved {
        /// The interface.
        #[serde(deserialize_with = "interface_name")]
        interface: InterfaceName,
    },
}

/// Who keeps what is done, so that it can be undone.
pub trait Journal {
    /// Keeps a deed that is about to be done. When this fails, it is not done.
    ///
    /// # Errors
    ///
    /// When the deed could not be kept.
    fn record(&mut self, deed: Deed) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

/// Keeps deeds for as long as the process lives.
impl Journal for Vec<Deed> {
    fn record(&mut self, deed: Deed) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.push(deed);
        Ok(())
    }
}

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
    let result = sys::add_alias(interface, address, *prefix);
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
    match sys::move_in(&interface, jail) {
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

impl Deed {
    /// Undoes the deed, if it was done and nobody undid it yet.
    ///
    /// `jail` is the jail that the deed was done for, as long as it lives; undo deeds before
    /// removing it. Once it is gone, FreeBSD brings the interfaces that were moved into it home by
    /// itself, but only when the last of its sockets is gone, and under the names that they have by
    /// then.
    ///
    /// An interface that was renamed inside the jail is not found there, and comes home with the
    /// jail's end. One that the host has, for it was never moved or is home already, is left alone.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. That there is nothing to undo is no error.
    pub fn undo(&self, jail: Option<Jail>) -> Result<(), Error> {
        match self {
            Self::Alias { interface, address, prefix } => remove(interface, *address, *prefix),
            Self::Moved { interface } => jail.map_or(Ok(()), |jail| bring_home(interface, jail)),
        }
    }
}

fn remove(interface: &InterfaceName, address: IpAddr, prefix: u8) -> Result<(), Error> {
    match sys::remove_alias(interface, address, prefix) {
        Ok(()) => {
            tracing::debug!(%interface, %address, "removed alias");
            Ok(())
        }
        // No such interface, no such address.
        Err(Errno::ENXIO | Errno::EADDRNOTAVAIL) => Ok(()),
        Err(errno) => Err(Error::RemoveAlias { interface: interface.clone(), address, errno }),
    }
}

fn bring_home(interface: &InterfaceName, jail: Jail) -> Result<(), Error> {
    // The jail may have one of that name that was never the host's, such as its loopback.
    if host::has_interface(interface) {
        return Ok(());
    }
    match sys::move_home(interface, jail) {
        Ok(()) => {
            tracing::debug!(%interface, jid = %jail.jid(), "brought interface home");
            Ok(())
        }
        // No such jail, or no such interface in it; the kernel is about to bring it home.
        Err(Errno::ENXIO | Errno::EBUSY) => Ok(()),
        Err(errno) => {
            Err(Error::BringHome { interface: interface.clone(), jid: jail.jid(), errno })
        }
    }
}

fn interface_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<InterfaceName, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}
