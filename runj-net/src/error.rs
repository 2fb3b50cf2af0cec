//! What goes wrong with interfaces.

use std::net::IpAddr;

use nix::errno::Errno;
use runj_jail::Jid;
use runj_spec::{InterfaceName, Origin};

/// Why something could not be done, or undone, to an interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration names an interface that the host does not have.
    #[error(
        "{origin}: {:?} is not allowed: expected an interface of the host ({errno})",
        interface.as_ref()
    )]
    NoInterface {
        /// Where it is named.
        origin: Origin,
        /// The interface.
        interface: InterfaceName,
        /// The error number.
        errno: Errno,
    },
    /// An address could not be added to an interface.
    #[error("{origin}: cannot add {address}/{prefix} to interface {interface}: {errno}")]
    AddAlias {
        /// Where the address is given.
        origin: Origin,
        /// The interface.
        interface: InterfaceName,
        /// The address.
        address: IpAddr,
        /// Its prefix length in bits.
        prefix: u8,
        /// The error number.
        errno: Errno,
    },
    /// Another interface of the host has the address, or a route leads to just that address.
    #[error(
        "{origin}: {address}/{prefix} is not allowed on interface {interface}: expected an address \
         that no other interface and no route of the host has ({errno})"
    )]
    AddressTaken {
        /// Where the address is given.
        origin: Origin,
        /// The interface.
        interface: InterfaceName,
        /// The address.
        address: IpAddr,
        /// Its prefix length in bits.
        prefix: u8,
        /// The error number.
        errno: Errno,
    },
    /// Another machine on the interface's link has the address (RFC 4862, duplicate address
    /// detection), so that the kernel does not use it.
    #[error(
        "{origin}: {address} is not allowed: expected an address that no other machine on the link \
         of interface {interface} has"
    )]
    Duplicate {
        /// Where the address is given.
        origin: Origin,
        /// The interface.
        interface: InterfaceName,
        /// The address.
        address: IpAddr,
    },
    /// The jail has an interface of that name already, as every jail with a network stack of its
    /// own has a loopback interface.
    #[error(
        "{origin}: {:?} is not allowed: expected an interface whose name is free in the jail \
         ({errno})",
        interface.as_ref()
    )]
    NameTaken {
        /// Where the interface is named.
        origin: Origin,
        /// The interface.
        interface: InterfaceName,
        /// The error number.
        errno: Errno,
    },
    /// An interface could not be moved into a jail.
    #[error("{origin}: cannot move interface {interface} into jail {jid}: {errno}")]
    MoveIn {
        /// Where the interface is named.
        origin: Origin,
        /// The interface.
        interface: InterfaceName,
        /// The jail.
        jid: Jid,
        /// The error number.
        errno: Errno,
    },
    /// An address that was added could not be removed.
    #[error("cannot remove {address} from interface {interface}: {errno}")]
    RemoveAlias {
        /// The interface.
        interface: InterfaceName,
        /// The address.
        address: IpAddr,
        /// The error number.
        errno: Errno,
    },
    /// An interface that was moved into a jail could not be brought home.
    #[error("cannot bring interface {interface} home from jail {jid}: {errno}")]
    BringHome {
        /// The interface.
        interface: InterfaceName,
        /// The jail.
        jid: Jid,
        /// The error number.
        errno: Errno,
    },
    /// The host's interfaces and their addresses could not be read.
    #[error("cannot read the addresses of the host's interfaces: {0}")]
    Addresses(Errno),
    /// The journal did not take a deed, so it was not done.
    #[error("cannot record what is to be done to interface {interface}")]
    Journal {
        /// The interface.
        interface: InterfaceName,
        /// What the journal said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// The error number, where the kernel gave one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::NoInterface { errno, .. }
            | Self::AddAlias { errno, .. }
            | Self::AddressTaken { errno, .. }
            | Self::NameTaken { errno, .. }
            | Self::MoveIn { errno, .. }
            | Self::RemoveAlias { errno, .. }
            | Self::BringHome { errno, .. }
            | Self::Addresses(errno) => Some(*errno),
            Self::Duplicate { .. } | Self::Journal { .. } => None,
        }
    }
}
