//! What this runtime can do, for engines that ask before they create.

use std::collections::BTreeMap;

use runj_spec::{Bundle, Hooks, OciVersion};
use serde::Serialize;

use crate::mounts;

/// The annotation under which the version of runj is told.
const VERSION: &str = "wtf.sbk.runj.version";

/// The features structure of the OCI runtime specification (features.md).
///
/// It is the same on every host: what the kernel lacks is said when a container asks for it. The
/// specification has no place for what is FreeBSD's; `ociVersionMax` says that all of
/// config-freebsd.md is implemented.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Features {
    oci_version_min: &'static str,
    oci_version_max: &'static str,
    hooks: Vec<&'static str>,
    mount_options: Vec<&'static str>,
    annotations: BTreeMap<&'static str, &'static str>,
    potentially_unsafe_config_annotations: Vec<&'static str>,
}

/// What this runtime can do.
#[must_use]
pub fn features() -> Features {
    let mut mount_options: Vec<_> = mounts::recognized_options().collect();
    mount_options.sort_unstable();
    Features {
        oci_version_min: OciVersion::MIN,
        oci_version_max: OciVersion::MAX,
        hooks: Hooks::NAMES.to_vec(),
        mount_options,
        annotations: BTreeMap::from([(VERSION, env!("CARGO_PKG_VERSION"))]),
        potentially_unsafe_config_annotations: Bundle::MEANINGFUL_ANNOTATIONS.to_vec(),
    }
}
