//! A container as all the documents of its bundle describe it.

use std::collections::BTreeMap;

use crate::{FreebsdDevice, Hooks, Jail, Mount, OciVersion, Process, Root, Sourced};

/// A container as all the documents of its bundle describe it, see
/// [`Bundle::container`](crate::Bundle::container).
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// The version of the specification that the bundle complies with.
    pub oci_version: OciVersion,
    /// The root file system; [`Root::default`] if config.json has none. Its path may be relative to
    /// the bundle.
    pub root: Root,
    /// The process. Needed at start only.
    pub process: Option<Process>,
    /// The host name.
    pub hostname: Option<Sourced<String>>,
    /// The NIS domain name.
    pub domainname: Option<Sourced<String>>,
    /// The file systems to mount, in order.
    pub mounts: Vec<Mount>,
    /// The programs that run at the points of the container's life.
    pub hooks: Hooks,
    /// What others noted about the container.
    pub annotations: BTreeMap<String, String>,
    /// The jail.
    pub jail: Jail,
    /// The devices that the container may use beside those of its devfs ruleset.
    pub devices: Vec<FreebsdDevice>,
}
