//! The host's resolver configuration in a container that asks for it (`network.resolvConf`).

use std::fs;
use std::path::Path;

use runj_spec::{Container, Mount, ResolvConf};

use super::file_system::FileSystem;
use super::plan::MountPlan;
use crate::error::Error;

/// Where it is, on the host and in the container (resolv.conf(5)).
const FILE: &str = "/etc/resolv.conf";

/// The mount that shows the host's resolver configuration, if the container is to have one.
///
/// What the configuration itself mounts on the file counts: engines that run a resolver of their
/// own, or that were told of one, do so, and whoever wrote runj.ext.json for all containers means
/// those that have none.
pub(crate) fn resolv_conf(container: &Container) -> Result<Option<MountPlan>, Error> {
    plan(container, Path::new(FILE))
}

fn plan(container: &Container, of_host: &Path) -> Result<Option<MountPlan>, Error> {
    let Some(given) = &container.resolv_conf else { return Ok(None) };
    match given.value {
        ResolvConf::Unchanged => return Ok(None),
        ResolvConf::Host => {}
    }
    let on_it = |mount: &Mount| Path::new("/").join(&mount.destination) == Path::new(FILE);
    if container.mounts.iter().any(on_it) {
        tracing::debug!("{}: config.json mounts another {FILE}", given.origin);
        return Ok(None);
    }
    let place = given.origin.to_string();
    let unusable = |reason: String| Error::Unusable {
        place: place.clone(),
        value: format!("\"{}\"", given.value),
        reason: format!("the host's {}: {reason}", of_host.display()),
    };
    // Often a link, which leads somewhere on the host only.
    let from = of_host.canonicalize().map_err(|error| unusable(error.to_string()))?;
    if !fs::metadata(&from).map_err(|error| unusable(error.to_string()))?.is_file() {
        return Err(unusable("it is no file".into()));
    }
    Ok(Some(MountPlan {
        destination_place: place.clone(),
        place,
        destination: FILE.into(),
        file_system: FileSystem::read_only_view(&from),
        directory: false,
        copy_up: false,
        rules: Vec::new(),
        devices: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use runj_spec::{Bundle, Config, Extension};
    use serde_json::{Value, json};

    use super::*;

    fn planned(mounts: &Value, setting: &str, of_host: &Path) -> Result<Option<MountPlan>, String> {
        let config = json!({ "ociVersion": "1.3.0", "mounts": mounts }).to_string();
        let extension = json!({ "network": { "resolvConf": setting } }).to_string();
        let bundle = Bundle {
            dir: "/".into(),
            config: Config::parse(config.as_bytes(), "config.json").unwrap(),
            extension: Some(Extension::parse(extension.as_bytes(), "runj.ext.json").unwrap()),
        };
        plan(&bundle.container().unwrap(), of_host).map_err(|error| error.to_string())
    }

    #[test]
    fn a_link_of_the_host_is_followed_on_the_host() {
        let host = tempfile::tempdir().unwrap();
        let host = host.path().canonicalize().unwrap();
        fs::write(host.join("stub"), "nameserver 192.0.2.1\n").unwrap();
        symlink("stub", host.join("resolv.conf")).unwrap();
        let plan = planned(&json!([]), "host", &host.join("resolv.conf")).unwrap().unwrap();
        assert_eq!(plan.file_system.from, host.join("stub"));
        assert!(plan.file_system.attributes.read_only && !plan.directory);
        assert_eq!(plan.destination, Path::new("/etc/resolv.conf"));
    }

    #[test]
    fn a_host_that_has_none_is_told_of_unless_it_is_not_needed() {
        let host = tempfile::tempdir().unwrap();
        let missing = host.path().join("resolv.conf");
        let error = planned(&json!([]), "host", &missing).unwrap_err();
        let place = "runj.ext.json: network.resolvConf: \"host\" is not allowed: the host's ";
        assert!(error.starts_with(&format!("{place}{}: No such file", missing.display())));
        assert_eq!(planned(&json!([]), "none", &missing), Ok(None));
        for destination in ["/etc/resolv.conf", "etc/resolv.conf", "//etc/./resolv.conf/"] {
            let mounts = json!([{ "destination": destination, "source": "/elsewhere" }]);
            assert_eq!(planned(&mounts, "host", &missing), Ok(None), "{destination}");
        }
        // Something else beside it.
        planned(&json!([{ "destination": "/etc/resolv" }]), "host", &missing).unwrap_err();

        let error = planned(&json!([]), "host", host.path()).unwrap_err();
        assert!(error.ends_with("it is no file"), "{error}");
    }
}
