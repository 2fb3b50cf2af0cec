//! What is to be mounted, decided from the configuration before the host is touched.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Component, Path, PathBuf};

use runj_spec::{FreebsdDevice, Mount};

use super::devfs_rule::{self, DevfsRule};
use super::file_system::FileSystem;
use super::options::{Meaning, meaning};
use crate::error::Error;

/// One mount, with everything about it decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountPlan {
    /// The JSON path, for messages.
    pub(super) place: String,
    /// That of the destination.
    pub(super) destination_place: String,
    /// Where in the container, absolute.
    pub(super) destination: PathBuf,
    pub(super) file_system: FileSystem,
    /// Whether a directory is mounted, not a single file.
    pub(super) directory: bool,
    /// Whether what is in the directory below is copied into it.
    pub(super) copy_up: bool,
    /// What is done to the devices of a devfs, in this order.
    pub(super) rules: Vec<Rule>,
    /// The devices that a devfs shows beside those of its rule set.
    pub(super) devices: Vec<Device>,
}

/// A rule for the devices of a devfs, with its JSON path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) place: String,
    /// As the configuration has it.
    pub(super) option: String,
    pub(super) rule: DevfsRule,
}

/// A device that the container may use, with its JSON path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) place: String,
    /// Relative to the devfs.
    pub(super) path: String,
    /// The host's permission bits if not given.
    pub(super) mode: Option<u16>,
}

/// The devfs rule set that hides the host's devices from a jail (devfs.rules(5), jail(8)).
const JAIL_RULESET: u16 = 4;

/// File systems that have no source; what a configuration names there is a label.
const SOURCELESS: &[&str] =
    &["devfs", "fdescfs", "linprocfs", "linsysfs", "mqueuefs", "procfs", "tmpfs"];

/// Decides about the configuration's mounts, and about the devices in them. `bundle` is what
/// relative sources are relative to.
pub(crate) fn plan(
    mounts: &[Mount],
    devices: &[FreebsdDevice],
    bundle: &Path,
) -> Result<Vec<MountPlan>, Error> {
    let mut plans = Vec::with_capacity(mounts.len());
    let for_jail = Mount::for_jail(mounts);
    let stays = |(of, it): &(usize, Mount)| {
        mounts.get(*of).is_some_and(|mount| it.options == mount.options).then_some(*of)
    };
    let staying: HashSet<usize> = for_jail.iter().filter_map(stays).collect();
    for (index, mount) in mounts.iter().enumerate() {
        if !staying.contains(&index) {
            check_left_out(mount, &format!("config.json: mounts[{index}]"))?;
        }
    }
    // The last mount on each destination.
    let mut last = HashMap::new();
    for (index, mount) in for_jail {
        let place = format!("config.json: mounts[{index}]");
        if mount.options.iter().any(|option| option == "remount") {
            remount(&mount, &place, &mut plans, &last)?;
        } else {
            let plan = plan_one(&mount, place, bundle)?;
            last.insert(plan.destination.clone(), plans.len());
            plans.push(plan);
        }
    }
    show(devices, &mut plans)?;
    Ok(plans)
}

fn plan_one(mount: &Mount, place: String, bundle: &Path) -> Result<MountPlan, Error> {
    let unusable = |property: &str, value: String, reason: &str| Error::Unusable {
        place: format!("{place}.{property}"),
        value,
        reason: reason.to_owned(),
    };
    let destination = Path::new("/").join(&mount.destination);
    if !destination.components().any(|component| matches!(component, Component::Normal(_))) {
        return Err(unusable(
            "destination",
            format!("{:?}", mount.destination),
            "expected a path below the container's root",
        ));
    }
    refuse_mappings(mount, &place)?;
    let bound = mount.options.iter().any(|option| option == "bind" || option == "rbind");
    let fstype = match mount.typ.as_deref() {
        None | Some("bind" | "nullfs" | "none") => "nullfs",
        Some(_) if bound => "nullfs",
        Some(other) => other,
    };
    let mut directory = true;
    let from = match (fstype, &mount.source) {
        (fstype, _) if SOURCELESS.contains(&fstype) => PathBuf::from(fstype),
        ("nullfs" | "unionfs", None) => {
            return Err(unusable(
                "source",
                "nothing".into(),
                &format!("a {fstype} mount needs what it shows"),
            ));
        }
        (_, None) => PathBuf::from(fstype),
        // A dataset's name.
        ("zfs", Some(source)) => PathBuf::from(source),
        (_, Some(source)) => {
            // Resolved here, on the host: what is relative is relative to the bundle.
            let path = bundle.join(source);
            let refused = |reason: &str| unusable("source", format!("{path:?}"), reason);
            let path = path.canonicalize().map_err(|error| refused(&error.to_string()))?;
            if fstype == "nullfs" {
                let kind = fs::metadata(&path).map_err(|error| refused(&error.to_string()))?;
                let kind = kind.file_type();
                directory = kind.is_dir();
                if !directory && !kind.is_file() {
                    return Err(refused(why_not(kind)));
                }
            }
            path
        }
    };
    let mut plan = MountPlan {
        place: place.clone(),
        destination_place: format!("{place}.destination"),
        destination,
        file_system: FileSystem::new(fstype, from),
        directory,
        copy_up: false,
        rules: Vec::new(),
        devices: Vec::new(),
    };
    for (number, option) in mount.options.iter().enumerate() {
        apply(option, format!("{place}.options[{number}]"), &mut plan)?;
    }
    let options = &mut plan.file_system.options;
    keep_last(options);
    if fstype == "devfs" && !options.iter().any(|(name, _)| name == "ruleset") {
        // Without one a devfs shows every device of the host.
        options.push(("ruleset".into(), Some(JAIL_RULESET.to_string())));
    }
    Ok(plan)
}

/// Of two options of one name the later one counts.
fn keep_last(options: &mut Vec<(String, Option<String>)>) {
    let mut later = HashSet::new();
    options.reverse();
    options.retain(|(name, _)| later.insert(name.clone()));
    options.reverse();
}

/// What is no file and no directory, and what to do instead.
fn why_not(kind: fs::FileType) -> &'static str {
    if kind.is_socket() {
        "a socket cannot be shown by itself: mount the directory that it is in"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device comes into a container by its devfs: freebsd.devices is for that"
    } else {
        "expected a directory or a file"
    }
}

fn apply(option: &str, place: String, plan: &mut MountPlan) -> Result<(), Error> {
    let refused = |place, reason| Error::Unusable { place, value: format!("{option:?}"), reason };
    match meaning(&plan.file_system.fstype, option) {
        Meaning::Attribute(attribute) => attribute.apply(&mut plan.file_system.attributes),
        // A remount is none of these.
        Meaning::Nothing | Meaning::Remount => {}
        Meaning::Missing => {
            tracing::warn!("{place}: {option:?} is ignored: FreeBSD has nothing like it");
        }
        Meaning::CopyUp(copy_up) => plan.copy_up = copy_up,
        Meaning::Rule(text) => match DevfsRule::parse(&text) {
            Ok(rule) => plan.rules.push(Rule { place, option: option.to_owned(), rule }),
            Err(reason) => return Err(refused(place, reason)),
        },
        Meaning::Own(name, value) => plan.file_system.options.push((name, value)),
        Meaning::Refused(reason) => return Err(refused(place, reason)),
    }
    Ok(())
}

/// Of a mount that a jail does not get, or gets another for, the options were made for Linux and do
/// not count. Those that no mount can have are refused all the same.
fn check_left_out(mount: &Mount, place: &str) -> Result<(), Error> {
    refuse_mappings(mount, place)?;
    let fstype = mount.typ.as_deref().unwrap_or_default();
    for (number, option) in mount.options.iter().enumerate() {
        if let Meaning::Refused(reason) = meaning(fstype, option) {
            return Err(Error::Unusable {
                place: format!("{place}.options[{number}]"),
                value: format!("{option:?}"),
                reason,
            });
        }
    }
    Ok(())
}

/// A remount changes what the mount before it on the same destination is like. Nothing of the
/// container runs in between, so that one is made like that at once.
fn remount(
    mount: &Mount,
    place: &str,
    plans: &mut [MountPlan],
    last: &HashMap<PathBuf, usize>,
) -> Result<(), Error> {
    let destination = Path::new("/").join(&mount.destination);
    let before = last.get(&destination).and_then(|index| plans.get_mut(*index));
    let Some(before) = before else {
        return Err(Error::Unusable {
            place: format!("{place}.destination"),
            value: format!("{:?}", mount.destination),
            reason: "a remount changes a mount, and nothing is mounted there before it".into(),
        });
    };
    for (number, option) in mount.options.iter().enumerate() {
        match meaning(&before.file_system.fstype, option) {
            Meaning::Attribute(attribute) => attribute.apply(&mut before.file_system.attributes),
            Meaning::Nothing | Meaning::Remount => {}
            _ => {
                return Err(Error::Unusable {
                    place: format!("{place}.options[{number}]"),
                    value: format!("{option:?}"),
                    reason: "a remount changes ro, nosuid, noexec, noatime and nosymfollow".into(),
                });
            }
        }
    }
    Ok(())
}

/// FreeBSD has no mounts that map owners, and the specification wants an error then.
fn refuse_mappings(mount: &Mount, place: &str) -> Result<(), Error> {
    for property in ["uidMappings", "gidMappings"] {
        if let Some(value) = mount.extra.get(property)
            && value.as_array().is_none_or(|mappings| !mappings.is_empty())
            && !value.is_null()
        {
            return Err(Error::Unusable {
                place: format!("{place}.{property}"),
                value: value.to_string(),
                reason: "FreeBSD does not map the owners of a mount".into(),
            });
        }
    }
    Ok(())
}

/// Lets the container's devfs show `devices`.
fn show(devices: &[FreebsdDevice], plans: &mut [MountPlan]) -> Result<(), Error> {
    let devfs = plans
        .iter_mut()
        .rev()
        .find(|plan| plan.file_system.fstype == "devfs" && plan.destination == Path::new("/dev"));
    let mut shown = Vec::with_capacity(devices.len());
    for (index, device) in devices.iter().enumerate() {
        let place = format!("config.json: freebsd.devices[{index}]");
        let unusable = |property, value, reason: &str| Error::Unusable {
            place: format!("{place}.{property}"),
            value,
            reason: reason.to_owned(),
        };
        let value = || format!("{:?}", device.path);
        if devfs.is_none() {
            return Err(unusable("path", value(), "the container has no devfs mounted on /dev"));
        }
        if !devfs_rule::fits(&device.path) {
            return Err(unusable("path", value(), "no device has a path that long"));
        }
        let mode = device.mode.map(u16::try_from).transpose();
        let mode = mode.map_err(|_| unusable("mode", format!("{:?}", device.mode), "too great"))?;
        shown.push(Device { place, path: device.path.clone(), mode });
    }
    if let Some(devfs) = devfs {
        devfs.devices = shown;
    }
    Ok(())
}

/// The devfs rule set for the jail: what its devfs is mounted with, so that one that the container
/// mounts by itself shows no more.
pub(crate) fn ruleset(plans: &[MountPlan]) -> i32 {
    let mut rulesets = plans
        .iter()
        .filter(|plan| plan.file_system.fstype == "devfs")
        .flat_map(|plan| &plan.file_system.options)
        .filter(|(name, _)| name == "ruleset")
        .filter_map(|(_, value)| value.as_deref()?.parse().ok());
    i32::from(rulesets.next().unwrap_or(JAIL_RULESET))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(mounts: &str, devices: &str) -> Result<Vec<MountPlan>, String> {
        let config = format!(
            r#"{{"ociVersion":"1.3.0","root":{{"path":"r"}},"mounts":[{mounts}],
                "freebsd":{{"devices":[{devices}]}}}}"#
        );
        let config = runj_spec::Config::parse(config.as_bytes(), "config.json").unwrap();
        plan(&config.mounts, &config.freebsd.unwrap().devices, Path::new("/tmp"))
            .map_err(|error| error.to_string())
    }

    fn one(mount: &str) -> Result<MountPlan, String> {
        planned(mount, "").map(|mut plans| plans.remove(0))
    }

    #[test]
    fn a_mount_without_type_is_a_nullfs() {
        for typ in ["", r#""type":"bind","#, r#""type":"nullfs","#, r#""type":"none","#] {
            let plan =
                one(&format!(r#"{{{typ}"destination":"/x","source":"/","options":["ro"]}}"#))
                    .unwrap();
            assert_eq!(plan.file_system.fstype, "nullfs");
            assert!(plan.file_system.attributes.read_only && plan.directory);
        }
    }

    #[test]
    fn a_devfs_gets_the_rules_for_jails_unless_others_are_asked_for() {
        let rules = |text: &str| one(text).unwrap().file_system.options;
        let four = vec![("ruleset".to_owned(), Some("4".to_owned()))];
        assert_eq!(rules(r#"{"type":"devfs","destination":"/dev"}"#), four);
        let zero = vec![("ruleset".to_owned(), Some("0".to_owned()))];
        let options = r#""options":["ruleset=4","ruleset=0"]"#;
        assert_eq!(rules(&format!(r#"{{"type":"devfs","destination":"/dev",{options}}}"#)), zero);
    }

    #[test]
    fn what_cannot_be_mounted_is_said_with_its_path() {
        let error = one(r#"{"destination":"/x","source":"/no/such"}"#).unwrap_err();
        assert!(error.starts_with(r#"config.json: mounts[0].source: "/no/such" is not allowed:"#));
        let error = one(r#"{"destination":"/","type":"tmpfs"}"#).unwrap_err();
        assert!(error.starts_with("config.json: mounts[0].destination: \"/\""), "{error}");
        let error = one(r#"{"destination":"/x"}"#).unwrap_err();
        assert!(error.contains("mounts[0].source"), "{error}");
        let error = one(r#"{"destination":"/x","source":"/dev/null"}"#).unwrap_err();
        assert!(error.contains("freebsd.devices"), "{error}");
        let error = one(r#"{"destination":"/x","source":"/","uidMappings":[{}]}"#).unwrap_err();
        assert!(error.starts_with("config.json: mounts[0].uidMappings: [{}]"), "{error}");
    }

    #[test]
    fn what_no_mount_can_have_is_refused_of_a_mount_that_is_left_out() {
        let left_out = |mount: &str| planned(mount, "");
        let sys = r#"{"destination":"/sys","type":"sysfs","options":["nosuid","strange"]}"#;
        assert_eq!(left_out(sys).unwrap().len(), 0);
        for (mount, place) in [
            (r#"{"destination":"/dev","type":"tmpfs","options":["ro","from=/"]}"#, "options[1]"),
            (r#"{"destination":"/sys","type":"sysfs","options":["fspath=/etc"]}"#, "options[0]"),
            (r#"{"destination":"/sys","type":"sysfs","gidMappings":[{}]}"#, "gidMappings"),
        ] {
            let error = left_out(mount).unwrap_err();
            assert!(error.starts_with(&format!("config.json: mounts[0].{place}: ")), "{error}");
        }
    }

    #[test]
    fn a_bad_option_is_named() {
        for (option, reason) in [
            ("rule=path mem", "what is to be done"),
            ("rule=unhide", "all devices"),
            ("fspath=/etc", "type, source and destination"),
        ] {
            let error = one(&format!(
                r#"{{"destination":"/dev","type":"devfs","options":["rw","{option}"]}}"#
            ))
            .unwrap_err();
            assert!(error.starts_with("config.json: mounts[0].options[1]: "), "{error}");
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_source_is_looked_up_on_the_host_and_never_left_to_the_kernel() {
        let error = one(r#"{"destination":"/x","type":"unionfs","source":"evil"}"#).unwrap_err();
        assert!(error.starts_with(r#"config.json: mounts[0].source: "/tmp/evil""#), "{error}");
    }

    #[test]
    fn a_remount_changes_the_mount_before_it() {
        let mount = r#"{"destination":"/x/","source":"/"}"#;
        let again = r#"{"destination":"/x","options":["remount","bind","ro","nosuid"]}"#;
        let plans = planned(&format!("{mount},{again}"), "").unwrap();
        let [plan] = &plans[..] else { panic!("one mount") };
        assert!(plan.file_system.attributes.read_only && plan.file_system.attributes.nosuid);

        let error = planned(again, "").unwrap_err();
        assert!(error.starts_with("config.json: mounts[0].destination: \"/x\""), "{error}");
        let bad = r#"{"destination":"/x","options":["remount","nocache"]}"#;
        let error = planned(&format!("{mount},{bad}"), "").unwrap_err();
        assert!(error.starts_with("config.json: mounts[1].options[1]: \"nocache\""), "{error}");
    }

    #[test]
    fn devices_are_shown_by_the_devfs_on_dev() {
        let device = r#"{"path":"pf","mode":384}"#;
        let devfs = r#"{"type":"devfs","destination":"/dev/"}"#;
        let plans = planned(devfs, device).unwrap();
        let device_of_plan = &plans[0].devices[0];
        assert_eq!((device_of_plan.path.as_str(), device_of_plan.mode), ("pf", Some(0o600)));
        for mounts in ["", r#"{"type":"devfs","destination":"/x"}"#] {
            let error = planned(mounts, device).unwrap_err();
            assert!(error.starts_with("config.json: freebsd.devices[0].path: \"pf\""), "{error}");
            assert!(error.contains("no devfs mounted on /dev"), "{error}");
        }
    }
}
