//! Single devices, and the rules by which a devfs shows them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    a_device_is_shown_and_nothing_beside,
    a_device_in_a_directory,
    a_device_has_the_mode_that_is_asked_for,
    podman_s_rule,
    a_rule_hides,
    a_rule_changes_owner_and_mode,
    rules_are_applied_in_order,
    bad_rules_are_refused,
    devices_without_a_devfs_are_refused,
    devices_that_are_not_there_are_refused,
    paths_that_leave_dev_are_refused,
    a_path_is_no_pattern,
    dev_can_be_a_link,
];

fn with_rules(sandbox: &Sandbox<'_>, rules: &[&str]) -> Bundle {
    let options: Vec<_> = rules.iter().map(|rule| format!("rule={rule}")).collect();
    sandbox.bundle().mount(json!({ "destination": "/dev", "type": "devfs", "options": options }))
}

fn with_devices(sandbox: &Sandbox<'_>, devices: Value) -> Bundle {
    with_rules(sandbox, &[]).set("freebsd.devices", devices)
}

/// What is below /dev in the container, terminals and descriptors apart.
#[track_caller]
fn shown(sandbox: &Sandbox<'_>, bundle: &Bundle) -> BTreeSet<String> {
    let line = "cd /dev && find . ! -path './pts/*' ! -path './fd/*'";
    let output = sandbox.output(bundle, line);
    output.lines().map(|line| line.trim_start_matches("./").to_owned()).collect()
}

/// A device of the host that a container does not see unless it is told to.
fn hidden() -> &'static str {
    let candidates = ["full", "mdctl", "klog", "kmsg", "pci"];
    let is_device = |name: &&str| {
        fs::symlink_metadata(Path::new("/dev").join(name))
            .is_ok_and(|metadata| metadata.file_type().is_char_device())
    };
    candidates.into_iter().find(is_device).expect("a host has one of these")
}

/// A device of the host that is in a directory.
fn nested() -> String {
    let mut directories = vec![PathBuf::from("/dev")];
    let mut found = BTreeSet::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            // File systems of their own, and what comes and goes.
            if ["pts", "shm", "fd", "mqueue"].iter().any(|name| path.ends_with(name)) {
                continue;
            }
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let kind = metadata.file_type();
            if metadata.is_dir() {
                directories.push(path);
            } else if directory != Path::new("/dev")
                && (kind.is_char_device() || kind.is_block_device())
            {
                found.insert(path.strip_prefix("/dev").unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.pop_first().expect("a host has one")
}

fn permissions(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn a_device_is_shown_and_nothing_beside(sandbox: &Sandbox<'_>) {
    let device = hidden();
    let of_host = Path::new("/dev").join(device);
    let before = permissions(&of_host);
    let usual = shown(sandbox, &with_rules(sandbox, &[]));
    assert!(!usual.contains(device), "{usual:?}");
    let bundle = with_devices(sandbox, json!([{ "path": device }]));
    let mut with = shown(sandbox, &bundle);
    assert!(with.remove(device), "{with:?}");
    assert_eq!(with, usual);
    // It is a device, with the mode that it has on the host.
    let line = format!("test -c /dev/{device} && find /dev/{device} -perm {before:o}");
    assert_eq!(sandbox.output(&bundle, &line), format!("/dev/{device}\n"));
    assert_eq!(permissions(&of_host), before);
    // It is this container's alone.
    assert_eq!(shown(sandbox, &with_rules(sandbox, &[])), usual);
}

fn a_device_in_a_directory(sandbox: &Sandbox<'_>) {
    let device = nested();
    let usual = shown(sandbox, &with_rules(sandbox, &[]));
    let with = shown(sandbox, &with_devices(sandbox, json!([{ "path": device }])));
    let more: Vec<_> = with.difference(&usual).cloned().collect();
    // The way to it and itself.
    let way: BTreeSet<_> =
        Path::new(&device).ancestors().map(|path| path.to_str().unwrap().to_owned()).collect();
    assert!(more.contains(&device), "{with:?}");
    assert!(more.iter().all(|path| way.contains(path)), "{more:?}");
}

fn a_device_has_the_mode_that_is_asked_for(sandbox: &Sandbox<'_>) {
    let device = hidden();
    let of_host = Path::new("/dev").join(device);
    let before = permissions(&of_host);
    for mode in [0o600, 0o644, 0o200] {
        let bundle = with_devices(
            sandbox,
            json!([{ "path": device, "mode": mode }, { "path": "null", "mode": 0o640 }]),
        );
        let line = format!("find /dev/{device} -perm {mode:o}; find /dev/null -perm 640");
        let found = sandbox.output(&bundle, &line);
        assert_eq!(found, format!("/dev/{device}\n/dev/null\n"), "{mode:o}");
    }
    assert_eq!(permissions(&of_host), before);
    assert_eq!(permissions(Path::new("/dev/null")), 0o666);
}

fn podman_s_rule(sandbox: &Sandbox<'_>) {
    let device = hidden();
    let rule = format!("path {device} unhide mode 0600");
    let bundle = with_rules(sandbox, &[&rule]);
    let line = format!("find /dev/{device} -perm 600");
    assert_eq!(sandbox.output(&bundle, &line), format!("/dev/{device}\n"));
}

fn a_rule_hides(sandbox: &Sandbox<'_>) {
    let usual = shown(sandbox, &with_rules(sandbox, &[]));
    let mut with = shown(sandbox, &with_rules(sandbox, &["path zero hide"]));
    assert!(with.insert("zero".to_owned()), "{with:?}");
    assert_eq!(with, usual);
}

fn a_rule_changes_owner_and_mode(sandbox: &Sandbox<'_>) {
    let bundle = with_rules(sandbox, &["path null user 12 group 34 mode 0640"]);
    let line = "find /dev/null -user 12 -group 34 -perm 640";
    assert_eq!(sandbox.output(&bundle, line), "/dev/null\n");
    assert_eq!(permissions(Path::new("/dev/null")), 0o666);
}

fn rules_are_applied_in_order(sandbox: &Sandbox<'_>) {
    let device = hidden();
    let (unhide, hide) = (format!("path {device} unhide"), format!("path {device} hide"));
    assert!(shown(sandbox, &with_rules(sandbox, &[&hide, &unhide])).contains(device));
    assert!(!shown(sandbox, &with_rules(sandbox, &[&unhide, &hide])).contains(device));
}

fn bad_rules_are_refused(sandbox: &Sandbox<'_>) {
    for (rule, reason) in [
        ("path null unhide\npath mem unhide", "on one line"),
        ("unhide", "it would show all devices"),
        ("path * unhide", "it would show all devices"),
        ("path */* unhide", "it would show all devices"),
        ("path ../../etc/passwd unhide", "without"),
        ("add 100 path mem unhide", "\"add\" is none of"),
        ("-s 4 add path mem unhide", "\"-s\" is none of"),
        ("", "what is to be done"),
    ] {
        let bundle = with_rules(sandbox, &["path null unhide", rule]);
        let index = bundle.mounts() - 1;
        let message = sandbox.refused(&bundle);
        let place = format!("config.json: mounts[{index}].options[1]: ");
        assert!(message.starts_with(&place), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

fn devices_without_a_devfs_are_refused(sandbox: &Sandbox<'_>) {
    let devices = json!([{ "path": "null" }]);
    let without = sandbox.bundle().set("freebsd.devices", devices.clone());
    let elsewhere = sandbox
        .bundle()
        .mount(json!({ "destination": "/other", "type": "devfs" }))
        .set("freebsd.devices", devices);
    for bundle in [without, elsewhere] {
        let message = sandbox.refused(&bundle);
        assert_eq!(
            message,
            "config.json: freebsd.devices[0].path: \"null\" is not allowed: \
             the container has no devfs mounted on /dev"
        );
    }
}

fn devices_that_are_not_there_are_refused(sandbox: &Sandbox<'_>) {
    let nested = nested();
    let (directory, _) = nested.rsplit_once('/').unwrap();
    for (path, reason) in [
        ("no-such-device", "the host has no such device"),
        ("null/below", "the host has no such device"),
        (directory, "not a directory of them"),
    ] {
        let bundle = with_devices(sandbox, json!([{ "path": "null" }, { "path": path }]));
        let message = sandbox.refused(&bundle);
        let place = format!("config.json: freebsd.devices[1].path: \"{path}\"");
        assert!(message.starts_with(&place), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

fn paths_that_leave_dev_are_refused(sandbox: &Sandbox<'_>) {
    for path in ["../etc/passwd", "/dev/null", "pts/../../etc/passwd", "..", ".", "", "null/"] {
        let bundle = with_devices(sandbox, json!([{ "path": path }]));
        let message = sandbox.refused(&bundle);
        let place = format!("config.json: freebsd.devices[0].path: \"{path}\" is not allowed");
        assert!(message.starts_with(&place), "{message}");
    }
}

fn a_path_is_no_pattern(sandbox: &Sandbox<'_>) {
    for path in ["*", "f*", "nul?", "[mn]ull", "nul\\l"] {
        let bundle = with_devices(sandbox, json!([{ "path": path }]));
        let message = sandbox.refused(&bundle);
        assert!(message.ends_with("the host has no such device"), "{path}: {message}");
    }
}

fn dev_can_be_a_link(sandbox: &Sandbox<'_>) {
    let device = hidden();
    let victim = sandbox.path().join("victim");
    fs::create_dir(&victim).unwrap();
    for target in ["inside", "/inside", victim.to_str().unwrap()] {
        let bundle = with_devices(sandbox, json!([{ "path": device, "mode": 0o600 }]));
        fs::create_dir(bundle.rootfs().join("inside")).unwrap();
        symlink(target, bundle.rootfs().join("dev")).unwrap();
        let before = sandbox.host();
        let line = format!("find /dev/{device} -perm 600");
        assert_eq!(sandbox.output(&bundle, &line), format!("/dev/{device}\n"), "{target}");
        sandbox.host().assert_unchanged_since(&before);
        assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
    }
}
