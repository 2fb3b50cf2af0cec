//! What the options of mounts do.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;

use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    what_engines_always_send_does_no_harm,
    unknown_options_are_refused,
    what_linux_alone_has_is_warned_of,
    a_tmpfs_has_the_owner_and_mode_that_are_asked_for,
    a_tmpfs_has_the_owner_and_mode_of_what_it_covers,
    noexec,
    nosymfollow,
    a_remount_makes_read_only,
    a_remount_of_nothing_is_refused,
    mapped_owners_are_refused,
    copied_up_as_it_was,
    copied_up_and_read_only,
    copied_up_without_following_links,
    not_copied_up_unless_asked_for,
    what_does_not_fit_is_not_copied_up,
    what_is_too_deep_is_not_copied_up,
    holes_are_copied_up_as_holes,
];

fn tmpfs(destination: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": "tmpfs", "source": "tmpfs", "options": options })
}

const ALWAYS: &[&str] = &[
    "rw",
    "nosuid",
    "noexec",
    "nodev",
    "relatime",
    "strictatime",
    "private",
    "rprivate",
    "bind",
    "rbind",
    "notmpcopyup",
    "defaults",
];

fn what_engines_always_send_does_no_harm(sandbox: &Sandbox<'_>) {
    let data = sandbox.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("file"), "x").unwrap();
    // A mount is a bind mount by its options as well, so a tmpfs is not told to be one.
    let of_tmpfs: Vec<_> = ALWAYS
        .iter()
        .filter(|option| !option.ends_with("bind"))
        .chain(&["mode=1777", "size=65536k", "uid=0", "gid=0", "nr_inodes=1k"])
        .copied()
        .collect();
    let bundle = sandbox
        .bundle()
        .mount(tmpfs("/scratch", &of_tmpfs))
        .mount(json!({ "destination": "/data", "source": data, "options": ALWAYS }))
        .mount(json!({
            "destination": "/dev",
            "type": "devfs",
            "source": "devfs",
            "options": ["ruleset=4", "rw", "private", "x-note=1", "comment=two"]
        }))
        .mount(json!({
            "destination": "/dev/fd",
            "type": "fdescfs",
            "source": "fdesc",
            "options": ["rw", "relatime", "nosuid"]
        }));
    assert_eq!(sandbox.output(&bundle, "touch /scratch/x && cat /data/file"), "x");
}

fn unknown_options_are_refused(sandbox: &Sandbox<'_>) {
    for (typ, option) in [
        ("nullfs", "nosiud"),
        ("nullfs", "size=1m"),
        ("fdescfs", "mode=0"),
        ("fdescfs", "nodup"),
        ("tmpfs", "rule=path null hide"),
        ("nullfs", "tmpcopyup"),
        ("nullfs", "idmap"),
        ("devfs", "ruleset=no"),
    ] {
        let bundle = sandbox.bundle();
        let index = bundle.mounts();
        let bundle = bundle.mount(json!({
            "destination": "/x",
            "type": typ,
            "source": "/",
            "options": ["ro", option]
        }));
        let message = sandbox.refused(&bundle);
        let place = format!("config.json: mounts[{index}].options[1]: \"{option}\"");
        assert!(message.starts_with(&place), "{message}");
    }
    // Here the kernel is who knows.
    let bundle = sandbox.bundle().mount(tmpfs("/x", &["no-such-option"]));
    let message = sandbox.refused(&bundle);
    assert!(message.contains("cannot mount tmpfs on \"/x\""), "{message}");
}

fn what_linux_alone_has_is_warned_of(sandbox: &Sandbox<'_>) {
    let log = sandbox.path().join("log");
    let bundle = sandbox.bundle().mount(tmpfs("/x", &["lazytime", "nodiratime"]));
    let create = sandbox.runj(["--log"]).args([&log]).args(["create", &sandbox.id(), "--bundle"]);
    create.args([bundle.dir()]).run().succeeded_silently();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("lazytime") && log.contains("nodiratime"), "{log}");
}

fn a_tmpfs_has_the_owner_and_mode_that_are_asked_for(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(tmpfs("/x", &["uid=12", "gid=34", "mode=0711"]));
    let line = "find /x -user 12 -group 34 -perm 711";
    assert_eq!(sandbox.output(&bundle, line), "/x\n");
}

fn a_tmpfs_has_the_owner_and_mode_of_what_it_covers(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(tmpfs("/x", &[]));
    let covered = bundle.rootfs().join("x");
    fs::create_dir(&covered).unwrap();
    chown(&covered, Some(12), Some(34)).unwrap();
    fs::set_permissions(&covered, fs::Permissions::from_mode(0o1711)).unwrap();
    let line = "find /x -user 12 -group 34 -perm 1711";
    assert_eq!(sandbox.output(&bundle, line), "/x\n");
}

fn noexec(sandbox: &Sandbox<'_>) {
    let line = "printf '#!/bin/sh\\necho ran\\n' > /x/p; chmod 755 /x/p; /x/p 2>&- || echo refused";
    for (options, expected) in [
        (["noexec", "rw"], "refused\n"),
        (["noexec", "exec"], "ran\n"),
        (["rnoexec", "rw"], "refused\n"),
    ] {
        let bundle = sandbox.bundle().mount(tmpfs("/x", &options));
        assert_eq!(sandbox.output(&bundle, line), expected, "{options:?}");
    }
}

fn nosymfollow(sandbox: &Sandbox<'_>) {
    let line = "echo text > /x/file; ln -s file /x/link; cat /x/link 2>&- || echo refused";
    for (option, expected) in [("nosymfollow", "refused\n"), ("symfollow", "text\n")] {
        let bundle = sandbox.bundle().mount(tmpfs("/x", &[option]));
        assert_eq!(sandbox.output(&bundle, line), expected, "{option}");
    }
}

fn a_remount_makes_read_only(sandbox: &Sandbox<'_>) {
    let data = sandbox.path().join("data");
    fs::create_dir(&data).unwrap();
    let bundle = sandbox.bundle().nullfs(&data, "/data", "rw").mount(json!({
        "destination": "/data",
        "options": ["remount", "bind", "ro"]
    }));
    let before = sandbox.host();
    assert_eq!(sandbox.output(&bundle, "touch /data/x 2>&- || echo refused"), "refused\n");
    sandbox.host().assert_unchanged_since(&before);
}

fn a_remount_of_nothing_is_refused(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let index = bundle.mounts();
    let bundle = bundle.mount(json!({ "destination": "/data", "options": ["remount", "ro"] }));
    let message = sandbox.refused(&bundle);
    assert!(message.starts_with(&format!("config.json: mounts[{index}].destination")), "{message}");
}

fn mapped_owners_are_refused(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let index = bundle.mounts();
    let mapping = json!([{ "containerID": 0, "hostID": 1000, "size": 1 }]);
    let bundle = bundle.mount(json!({
        "destination": "/data",
        "source": "/",
        "uidMappings": mapping,
        "gidMappings": mapping
    }));
    let message = sandbox.refused(&bundle);
    assert!(message.starts_with(&format!("config.json: mounts[{index}].uidMappings")), "{message}");
}

/// A bundle with a directory of all sorts in its root, on which a tmpfs is mounted.
fn copied_up(sandbox: &Sandbox<'_>, options: &[&str]) -> Bundle {
    let bundle = sandbox.bundle().mount(tmpfs("/x", options));
    let at = |name: &str| bundle.rootfs().join("x").join(name);
    fs::create_dir_all(at("deep/er")).unwrap();
    fs::write(at("deep/er/file"), "text").unwrap();
    fs::write(at("program"), "#!/bin/sh").unwrap();
    fs::hard_link(at("program"), at("deep/same")).unwrap();
    symlink("deep/er", at("link")).unwrap();
    nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    chown(at("program"), Some(12), Some(34)).unwrap();
    fs::set_permissions(at("program"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::set_permissions(at(""), fs::Permissions::from_mode(0o750)).unwrap();
    bundle
}

fn copied_up_as_it_was(sandbox: &Sandbox<'_>) {
    let bundle = copied_up(sandbox, &["tmpcopyup", "size=1m"]);
    let before = sandbox.host();
    let line = "cd /x && cat link/file && find . | sort && \
                find program -user 12 -group 34 -perm 4755 -links 2 && \
                test program -ef deep/same && test -p pipe && find . -name . -perm 750 && \
                echo changed > deep/er/file && rm program";
    assert_eq!(
        sandbox.output(&bundle, line),
        "text.\n./deep\n./deep/er\n./deep/er/file\n./deep/same\n./link\n./pipe\n./program\n\
         program\n.\n"
    );
    // The image has its own still.
    sandbox.host().assert_unchanged_since(&before);
    assert_eq!(fs::read_to_string(bundle.rootfs().join("x/deep/er/file")).unwrap(), "text");
}

fn copied_up_and_read_only(sandbox: &Sandbox<'_>) {
    let bundle = copied_up(sandbox, &["ro", "tmpcopyup"]);
    let line = "cat /x/deep/er/file; touch /x/new 2>&- || echo refused";
    assert_eq!(sandbox.output(&bundle, line), "textrefused\n");
}

fn copied_up_without_following_links(sandbox: &Sandbox<'_>) {
    let secret = sandbox.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("file"), "secret").unwrap();
    // Of what is linked to only the link is copied.
    let bundle = copied_up(sandbox, &["tmpcopyup"]);
    symlink(&secret, bundle.rootfs().join("x/out")).unwrap();
    symlink(secret.join("file"), bundle.rootfs().join("x/out-file")).unwrap();
    let line =
        "cd /x; test -h out && test -h out-file && ! cat out/file out-file 2>&- && echo none";
    assert_eq!(sandbox.output(&bundle, line), "none\n");

    // And a link in the place of the directory leads to one inside.
    let bundle = sandbox.bundle().mount(tmpfs("/x", &["tmpcopyup"]));
    symlink(&secret, bundle.rootfs().join("x")).unwrap();
    assert_eq!(sandbox.output(&bundle, "ls -A /x/"), "");
    assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
}

fn not_copied_up_unless_asked_for(sandbox: &Sandbox<'_>) {
    for options in [&[][..], &["notmpcopyup"], &["tmpcopyup", "notmpcopyup"]] {
        let bundle = copied_up(sandbox, options);
        assert_eq!(sandbox.output(&bundle, "ls -A /x"), "", "{options:?}");
    }
}

fn what_does_not_fit_is_not_copied_up(sandbox: &Sandbox<'_>) {
    let bundle = copied_up(sandbox, &["tmpcopyup", "size=64k"]);
    fs::write(bundle.rootfs().join("x/deep/large"), vec![1; 1 << 20]).unwrap();
    let message = sandbox.refused(&bundle);
    assert!(message.contains("tmpcopyup: \"deep/large\": ENOSPC"), "{message}");
    assert_eq!(fs::metadata(bundle.rootfs().join("x/deep/large")).unwrap().size(), 1 << 20);
}

fn what_is_too_deep_is_not_copied_up(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(tmpfs("/x", &["tmpcopyup"]));
    let deep = "d/".repeat(300);
    fs::create_dir_all(bundle.rootfs().join("x").join(deep)).unwrap();
    let message = sandbox.refused(&bundle);
    assert!(message.contains("tmpcopyup: \"d/d/d"), "{message}");
    assert!(message.contains("ENAMETOOLONG"), "{message}");
}

fn holes_are_copied_up_as_holes(sandbox: &Sandbox<'_>) {
    // A tmpfs of FreeBSD counts how long a file is, not what is in it.
    let size = if cfg!(target_os = "freebsd") { "size=128m" } else { "size=1m" };
    let bundle = sandbox.bundle().mount(tmpfs("/x", &["tmpcopyup", size]));
    fs::create_dir(bundle.rootfs().join("x")).unwrap();
    let mut file = fs::File::create(bundle.rootfs().join("x/sparse")).unwrap();
    file.write_all(b"first").unwrap();
    file.seek(SeekFrom::Start(1 << 26)).unwrap();
    file.write_all(b"last").unwrap();
    let line = "cd /x && head -c 5 sparse && tail -c 4 sparse && find . -size +67108867c";
    assert_eq!(sandbox.output(&bundle, line), "firstlast./sparse\n");
}
