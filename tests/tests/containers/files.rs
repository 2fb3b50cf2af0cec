//! Mounts of single files: as mounts where the host can do that, else as copies.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use runj_tests::Sandbox;
use serde_json::json;

use crate::case::cases;

cases![
    it_is_seen_inside_and_gone_afterwards,
    what_it_covers_comes_back,
    it_keeps_its_mode_and_owner,
    it_goes_into_a_read_only_root,
    it_goes_into_an_earlier_tmpfs,
    it_goes_into_a_volume_as_a_mount_only,
    a_copy_of_it_is_not_shown_to_another_container,
    the_file_itself_stays_as_it_is,
    a_link_is_followed_inside_the_root,
    what_the_container_does_to_it_harms_nobody,
    a_failed_create_leaves_nothing,
    neither_sockets_nor_devices,
    a_file_is_no_directory,
];

fn file(sandbox: &Sandbox<'_>, text: &str) -> PathBuf {
    let path = sandbox.path().join("the file");
    fs::write(&path, text).unwrap();
    path
}

fn it_is_seen_inside_and_gone_afterwards(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "of the host");
    let bundle = sandbox.bundle().nullfs(&source, "/etc/new/config", "ro");
    let before = sandbox.host();
    assert_eq!(sandbox.output(&bundle, "cat /etc/new/config"), "of the host");
    sandbox.host().assert_unchanged_since(&before);
}

fn what_it_covers_comes_back(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "new");
    let bundle = sandbox.bundle().nullfs(&source, "/etc/hosts", "ro");
    fs::create_dir(bundle.rootfs().join("etc")).unwrap();
    let covered = bundle.rootfs().join("etc/hosts");
    fs::write(&covered, "the image's own").unwrap();
    // The same file, not one like it.
    fs::hard_link(&covered, bundle.rootfs().join("etc/same")).unwrap();
    let before = sandbox.host();
    assert_eq!(sandbox.output(&bundle, "cat /etc/hosts /etc/same"), "newthe image's own");
    sandbox.host().assert_unchanged_since(&before);
    assert_eq!(fs::read_to_string(covered).unwrap(), "the image's own");
}

fn it_keeps_its_mode_and_owner(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "x");
    chown(&source, Some(12), Some(34)).unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o741)).unwrap();
    let bundle = sandbox.bundle().nullfs(&source, "/config", "ro");
    let line = "find /config -user 12 -group 34 -perm 741";
    assert_eq!(sandbox.output(&bundle, line), "/config\n");
}

fn it_goes_into_a_read_only_root(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "of the host");
    let bundle = sandbox
        .bundle()
        .set("root.readonly", true)
        .nullfs(&source, "/etc/config", "ro")
        .nullfs(&source, "/etc/there", "ro");
    fs::create_dir(bundle.rootfs().join("etc")).unwrap();
    fs::write(bundle.rootfs().join("etc/there"), "old").unwrap();
    let before = sandbox.host();
    let line = "cat /etc/config /etc/there; echo x 2>&- > /etc/config || echo refused";
    assert_eq!(sandbox.output(&bundle, line), "of the hostof the hostrefused\n");
    sandbox.host().assert_unchanged_since(&before);
}

fn it_goes_into_an_earlier_tmpfs(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "of the host");
    for read_only in [false, true] {
        let bundle = sandbox
            .bundle()
            .set("root.readonly", read_only)
            .mount(json!({ "destination": "/run", "type": "tmpfs" }))
            .nullfs(&source, "/run/deep/config", "ro");
        let before = sandbox.host();
        assert_eq!(sandbox.output(&bundle, "cat /run/deep/config"), "of the host");
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn it_goes_into_a_volume_as_a_mount_only(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "of the host");
    let directory = sandbox.path().join("volume");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("config"), "of the volume").unwrap();
    for read_only in [false, true] {
        let bundle = sandbox
            .bundle()
            .set("root.readonly", read_only)
            .nullfs(&directory, "/volume", "rw")
            .nullfs(&source, "/volume/config", "ro");
        let before = sandbox.host();
        if cfg!(target_os = "linux") {
            assert_eq!(sandbox.output(&bundle, "cat /volume/config"), "of the host");
        } else {
            // All who have the volume would see a copy.
            let message = sandbox.refused(&bundle);
            assert!(message.contains("\"/volume/config\" is not allowed"), "{message}");
        }
        sandbox.host().assert_unchanged_since(&before);
        assert_eq!(fs::read_to_string(directory.join("config")).unwrap(), "of the volume");
    }
}

fn a_copy_of_it_is_not_shown_to_another_container(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "of the host");
    let bundle = sandbox.bundle().nullfs(&source, "/config", "ro");
    let first = sandbox.create(&bundle);
    let root = bundle.rootfs();
    // It has no mounts of its own, so nothing else is in the way.
    let bundle = sandbox.bundle().set("root.path", root.to_str().unwrap()).set("mounts", json!([]));
    let second = sandbox.try_create(&sandbox.id(), &bundle);
    if cfg!(target_os = "linux") {
        second.succeeded_silently();
    } else {
        let message = second.refused();
        let reason = format!("container {} has files mounted in it", first.id());
        assert!(message.starts_with("config.json: root.path: "), "{message}");
        assert!(message.contains(&reason), "{message}");
    }
}

fn the_file_itself_stays_as_it_is(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "of the host");
    let bundle = sandbox.bundle().nullfs(&source, "/config", "ro");
    let line = "echo changed > /config; rm -f /config; chmod 777 /config; :";
    let container = sandbox.start(&bundle);
    // Some of this is refused.
    let _ = container.exec([], ["sh", "-c", line]).run();
    container.delete_by_force();
    assert_eq!(fs::read_to_string(&source).unwrap(), "of the host");
    assert_eq!(fs::metadata(&source).unwrap().mode() & 0o777, 0o644);
}

fn a_link_is_followed_inside_the_root(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "new");
    let victim = sandbox.path().join("victim");
    fs::write(&victim, "of the host").unwrap();
    let climbing = format!("{}{}", "../".repeat(50), victim.display());
    for target in [victim.to_str().unwrap(), &climbing] {
        let bundle = sandbox.bundle().nullfs(&source, "/etc/hosts", "ro");
        fs::create_dir(bundle.rootfs().join("etc")).unwrap();
        symlink(target, bundle.rootfs().join("etc/hosts")).unwrap();
        let before = sandbox.host();
        assert_eq!(sandbox.output(&bundle, "cat /etc/hosts"), "new");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "of the host");
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn what_the_container_does_to_it_harms_nobody(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "new");
    let victim = sandbox.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("hosts"), "of the host").unwrap();
    let bundle = sandbox.bundle().nullfs(&source, "/etc/hosts", "ro");
    fs::create_dir(bundle.rootfs().join("etc")).unwrap();
    fs::write(bundle.rootfs().join("etc/hosts"), "old").unwrap();
    let container = sandbox.start(&bundle);
    // The way to it becomes a link out of the root.
    let line = format!("mv /etc /moved && ln -s {} /etc", victim.display());
    container.exec([], ["sh", "-c", &line]).run().succeeded_silently();
    container.delete_by_force();
    assert_eq!(fs::read_to_string(victim.join("hosts")).unwrap(), "of the host");
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
}

fn a_failed_create_leaves_nothing(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "new");
    let bundle = sandbox.bundle().nullfs(&source, "/etc/hosts", "ro");
    fs::create_dir(bundle.rootfs().join("etc")).unwrap();
    fs::write(bundle.rootfs().join("etc/hosts"), "old").unwrap();
    let failing = bundle.script("fail", "exit 3");
    let bundle = bundle.set("hooks.createRuntime", json!([{ "path": failing }]));
    sandbox.refused(&bundle);
    assert_eq!(fs::read_to_string(bundle.rootfs().join("etc/hosts")).unwrap(), "old");
}

fn neither_sockets_nor_devices(sandbox: &Sandbox<'_>) {
    let socket = sandbox.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let pipe = sandbox.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (source, reason) in [
        (socket.as_path(), "mount the directory that it is in"),
        (Path::new("/dev/null"), "freebsd.devices"),
        (&pipe, "expected a directory or a file"),
    ] {
        let bundle = sandbox.bundle();
        let index = bundle.mounts();
        let bundle = bundle.nullfs(source, "/x", "ro");
        let message = sandbox.refused(&bundle);
        let place = format!("config.json: mounts[{index}].source: {source:?} is not allowed: ");
        assert!(message.starts_with(&place), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

fn a_file_is_no_directory(sandbox: &Sandbox<'_>) {
    let source = file(sandbox, "x");
    let bundle = sandbox.bundle().nullfs(&source, "/there", "ro");
    fs::create_dir(bundle.rootfs().join("there")).unwrap();
    let message = sandbox.refused(&bundle);
    assert!(message.ends_with("it is a directory, and the source is not"), "{message}");

    let bundle = sandbox.bundle().mount(json!({ "destination": "/there", "type": "tmpfs" }));
    fs::write(bundle.rootfs().join("there"), "x").unwrap();
    let message = sandbox.refused(&bundle);
    assert!(message.ends_with("it is no directory"), "{message}");
}
