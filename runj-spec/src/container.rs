//! A container as all the documents of its bundle describe it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::serialize::is_default;
use crate::{
    FreebsdDevice, Hooks, Jail, LinuxResources, Mount, OciVersion, Process, RctlRule, ResolvConf,
    Root, Sourced,
};

/// A container as all the documents of its bundle describe it, see
/// [`Bundle::container`](crate::Bundle::container).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The version of the specification that the bundle complies with.
    pub oci_version: OciVersion,
    /// The root file system; [`Root::default`] if config.json has none. Its path may be relative to
    /// the bundle.
    pub root: Root,
    /// The process. Needed at start only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Sourced<String>>,
    /// The NIS domain name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<Sourced<String>>,
    /// Its resolver configuration, which a mount on the same file goes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolv_conf: Option<Sourced<ResolvConf>>,
    /// The file systems to mount, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// The programs that run at the points of the container's life.
    #[serde(skip_serializing_if = "is_default")]
    pub hooks: Hooks,
    /// What others noted about the container.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The jail.
    #[serde(skip_serializing_if = "is_default")]
    pub jail: Jail,
    /// The devices that the container may use beside those of its devfs ruleset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<FreebsdDevice>,
    /// What it may use.
    pub resources: LinuxResources,
    /// Rules about what it may use, in order: a later one replaces an earlier one about the same.
    pub rctl: Vec<Sourced<RctlRule>>,
}
