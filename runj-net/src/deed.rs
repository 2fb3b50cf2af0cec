//! What was done to interfaces, and how it is undone.

use std::error::Error as StdError;
use std::net::IpAddr;

use nix::errno::Errno;
use runj_faults::{Point, at};
use runj_jail::Jail;
use runj_spec::InterfaceName;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::Error;
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
    let removed = at(Point::RemoveAlias)
        .map_err(Errno::from)
        .and_then(|()| sys::remove_alias(interface, address, prefix));
    match removed {
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
    let moved =
        at(Point::MoveHome).map_err(Errno::from).and_then(|()| sys::move_home(interface, jail));
    match moved {
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
