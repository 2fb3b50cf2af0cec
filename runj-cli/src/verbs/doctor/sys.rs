//! What the kernel can do, one module per platform behind one interface.

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use nix::unistd::geteuid;

use super::finding::Finding;

/// Where programs that are no part of the system have their configuration, and what they come with.
pub(super) use platform::{ETC, INSTALL_PACKAGE, SHARE};

pub(super) fn findings() -> Vec<Finding> {
    let mut findings = platform::findings();
    findings.push(match geteuid().is_root() {
        true => Finding::fine("user", "root"),
        false => Finding::lacks("user", "not root, which making a container takes"),
    });
    findings
}
