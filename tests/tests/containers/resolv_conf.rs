//! The host's resolver configuration in a container that asks for it.

use std::fs;

use runj_tests::{Bundle, Sandbox};
use serde_json::json;

use crate::case::cases;

cases![
    the_host_s_is_there_when_asked_for: ResolvConf,
    it_is_read_only_for_a_root_that_is: ResolvConf,
    that_of_the_root_comes_back: ResolvConf,
    without_the_setting_nothing_changes,
    a_mount_in_config_json_goes_before_it,
    it_goes_into_an_etc_that_is_mounted: ResolvConf,
    a_directory_in_its_place_is_told_of: ResolvConf,
];

const FILE: &str = "/etc/resolv.conf";

/// A bundle whose container has that setting.
fn bundle(sandbox: &Sandbox<'_>, setting: &str) -> Bundle {
    sandbox.bundle().extension(json!({ "network": { "resolvConf": setting } }))
}

/// Gives the root file system a file of its own.
fn own(bundle: &Bundle, text: &str) {
    fs::create_dir_all(bundle.rootfs().join("etc")).unwrap();
    fs::write(bundle.rootfs().join("etc/resolv.conf"), text).unwrap();
}

fn the_host_s_is_there_when_asked_for(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, "host");
    let before = sandbox.host();
    let of_host = fs::read_to_string(FILE).unwrap();
    assert_eq!(sandbox.output(&bundle, "cat /etc/resolv.conf"), of_host);
    sandbox.host().assert_unchanged_since(&before);
}

fn it_is_read_only_for_a_root_that_is(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, "host").set("root.readonly", true);
    let before = sandbox.host();
    let of_host = fs::read_to_string(FILE).unwrap();
    let line = "cat /etc/resolv.conf; echo x 2>&- > /etc/resolv.conf || echo refused";
    assert_eq!(sandbox.output(&bundle, line), of_host.clone() + "refused\n");
    sandbox.host().assert_unchanged_since(&before);
    assert_eq!(fs::read_to_string(FILE).unwrap(), of_host);
}

fn that_of_the_root_comes_back(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, "host");
    own(&bundle, "nameserver 192.0.2.1\n");
    let before = sandbox.host();
    let of_host = fs::read_to_string(FILE).unwrap();
    // On FreeBSD the container may write, but into its copy.
    let line = "cat /etc/resolv.conf; echo changed 2>&- > /etc/resolv.conf; :";
    assert_eq!(sandbox.output(&bundle, line), of_host);
    sandbox.host().assert_unchanged_since(&before);
    let own = fs::read_to_string(bundle.rootfs().join("etc/resolv.conf")).unwrap();
    assert_eq!(own, "nameserver 192.0.2.1\n");
    assert_eq!(fs::read_to_string(FILE).unwrap(), of_host);
}

fn without_the_setting_nothing_changes(sandbox: &Sandbox<'_>) {
    for bundle in [sandbox.bundle(), bundle(sandbox, "none")] {
        assert_eq!(sandbox.output(&bundle, "cat /etc/resolv.conf 2>&- || echo none"), "none\n");
        own(&bundle, "# of the image\n");
        assert_eq!(sandbox.output(&bundle, "cat /etc/resolv.conf"), "# of the image\n");
    }
}

fn a_mount_in_config_json_goes_before_it(sandbox: &Sandbox<'_>) {
    let source = sandbox.path().join("of the engine");
    fs::write(&source, "# of the engine\n").unwrap();
    let bundle = bundle(sandbox, "host").nullfs(&source, "/etc/resolv.conf", "ro");
    let before = sandbox.host();
    assert_eq!(sandbox.output(&bundle, "cat /etc/resolv.conf"), "# of the engine\n");
    sandbox.host().assert_unchanged_since(&before);
}

fn it_goes_into_an_etc_that_is_mounted(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, "host").mount(json!({ "destination": "/etc", "type": "tmpfs" }));
    let before = sandbox.host();
    let of_host = fs::read_to_string(FILE).unwrap();
    assert_eq!(sandbox.output(&bundle, "cat /etc/resolv.conf"), of_host);
    sandbox.host().assert_unchanged_since(&before);
}

fn a_directory_in_its_place_is_told_of(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, "host");
    fs::create_dir_all(bundle.rootfs().join("etc/resolv.conf")).unwrap();
    assert_eq!(
        sandbox.refused(&bundle),
        "runj.ext.json: network.resolvConf: \"/etc/resolv.conf\" is not allowed: it is a \
         directory, and the source is not"
    );
}
