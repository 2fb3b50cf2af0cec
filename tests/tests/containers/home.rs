//! HOME, which a process has even if nobody gives it one.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use runj_tests::{Bundle, Container, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    is_that_of_the_user,
    is_the_root_without_a_better_one,
    stays_as_it_is_given,
    is_never_looked_for_outside_the_root,
    does_not_come_of_what_is_no_file,
    is_not_read_from_a_file_without_end,
    comes_of_the_etc_that_is_mounted,
    is_as_the_container_has_it_by_now,
];

const PASSWD: &str = concat!(
    "root:*:0:0:Charlie &:/root:/bin/sh\n",
    "nonsense\n",
    "jane:*:1001:1001:Jane:/home/jane:/bin/sh\n",
);

/// A bundle whose process says what its HOME is and stays, with an empty directory for its passwd.
fn bundle(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox.bundle().shell("echo \"\\\"$HOME\\\"\"; exec /opt/probe/runj-probe wait");
    fs::create_dir(bundle.rootfs().join("etc")).unwrap();
    bundle
}

fn with_passwd(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = bundle(sandbox);
    fs::write(bundle.rootfs().join("etc/passwd"), PASSWD).unwrap();
    bundle
}

/// What `create` and `start` give the process, and `exec` another one.
#[track_caller]
fn homes(sandbox: &Sandbox<'_>, bundle: &Bundle) -> [String; 2] {
    let container = sandbox.start(bundle);
    let init = container.wait_line(0).as_str().unwrap().to_owned();
    let homes = [init, executed(&container, [])];
    container.end();
    homes
}

fn executed<const N: usize>(container: &Container<'_>, flags: [&str; N]) -> String {
    container.exec(flags, ["sh", "-c", "printf %s \"$HOME\""]).run().succeeded()
}

fn is_that_of_the_user(sandbox: &Sandbox<'_>) {
    let bundle = with_passwd(sandbox);
    assert_eq!(homes(sandbox, &bundle), ["/root", "/root"]);
    let bundle = bundle.set("process.user", json!({ "uid": 1001, "gid": 0 }));
    assert_eq!(homes(sandbox, &bundle), ["/home/jane", "/home/jane"]);
    let container = sandbox.start(&bundle.probe(["wait"]));
    assert_eq!(executed(&container, ["--user", "0"]), "/root");
}

fn is_the_root_without_a_better_one(sandbox: &Sandbox<'_>) {
    assert_eq!(homes(sandbox, &bundle(sandbox)), ["/", "/"]);
    let stranger = with_passwd(sandbox).set("process.user", json!({ "uid": 7, "gid": 7 }));
    assert_eq!(homes(sandbox, &stranger), ["/", "/"]);
}

fn stays_as_it_is_given(sandbox: &Sandbox<'_>) {
    let mut bundle = with_passwd(sandbox).probe(["report"]);
    // As runc has it: the last one counts, and an empty one is none.
    for (given, has) in [
        (json!(["HOME=/given"]), "/given"),
        (json!(["HOME=/first", "HOME=/last"]), "/last"),
        (json!(["HOME=", "HOME=/last"]), "/last"),
        (json!(["HOME=/first", "HOME="]), "/root"),
        (json!(["HOME="]), "/root"),
        (json!(["HOMER=/other"]), "/root"),
    ] {
        bundle = bundle.set("process.env", given.clone());
        let report = sandbox.run(&bundle).json();
        let is_home = |entry: &&Value| entry.as_str().unwrap().starts_with("HOME=");
        let homes: Vec<_> = report["env"].as_array().unwrap().iter().filter(is_home).collect();
        assert_eq!(homes, [&json!(format!("HOME={has}"))], "{given}");
    }
    let container = sandbox.start(&bundle.probe(["wait"]));
    assert_eq!(executed(&container, ["--env", "HOME=/given"]), "/given");
}

fn is_never_looked_for_outside_the_root(sandbox: &Sandbox<'_>) {
    let outside = sandbox.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("passwd"), PASSWD.replace("/root", "/outside")).unwrap();
    let outside = outside.to_str().unwrap();
    let climbing = format!("../../../../../../../../../../../..{outside}");
    for way in [outside, &climbing] {
        let by_file = bundle(sandbox);
        let passwd = by_file.rootfs().join("etc/passwd");
        symlink(format!("{way}/passwd"), &passwd).unwrap();
        assert_eq!(homes(sandbox, &by_file), ["/", "/"]);
        let by_directory = bundle(sandbox);
        fs::remove_dir(by_directory.rootfs().join("etc")).unwrap();
        symlink(way, by_directory.rootfs().join("etc")).unwrap();
        assert_eq!(homes(sandbox, &by_directory), ["/", "/"]);
    }
    // To the container it would be a link to one of its own files.
    let inside = bundle(sandbox);
    fs::write(inside.rootfs().join("users"), PASSWD).unwrap();
    symlink("/users", inside.rootfs().join("etc/passwd")).unwrap();
    assert_eq!(homes(sandbox, &inside), ["/root", "/root"]);
}

fn does_not_come_of_what_is_no_file(sandbox: &Sandbox<'_>) {
    let directory = bundle(sandbox);
    fs::create_dir(directory.rootfs().join("etc/passwd")).unwrap();
    assert_eq!(homes(sandbox, &directory), ["/", "/"]);
    let pipe = bundle(sandbox);
    mkfifo(&pipe.rootfs().join("etc/passwd"), Mode::S_IRWXU).unwrap();
    assert_eq!(homes(sandbox, &pipe), ["/", "/"]);
    let device = bundle(sandbox).mount(json!({ "destination": "/dev", "type": "devfs" }));
    symlink("/dev/zero", device.rootfs().join("etc/passwd")).unwrap();
    assert_eq!(homes(sandbox, &device), ["/", "/"]);
}

fn is_not_read_from_a_file_without_end(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let line = "root:*:0:0:Charlie &:/root:/bin/sh\n";
    let text = line.repeat(10_000_000 / line.len());
    fs::write(bundle.rootfs().join("etc/passwd"), text).unwrap();
    assert_eq!(homes(sandbox, &bundle), ["/", "/"]);
}

fn comes_of_the_etc_that_is_mounted(sandbox: &Sandbox<'_>) {
    let mounted = sandbox.path().join("mounted");
    fs::create_dir(&mounted).unwrap();
    fs::write(mounted.join("passwd"), PASSWD.replace("/root", "/mounted")).unwrap();
    let bundle = with_passwd(sandbox).nullfs(&mounted, "/etc", "ro");
    assert_eq!(homes(sandbox, &bundle), ["/mounted", "/mounted"]);
    let bundle = bundle.set("root", json!({ "path": "rootfs", "readonly": true }));
    assert_eq!(homes(sandbox, &bundle), ["/mounted", "/mounted"]);
}

fn is_as_the_container_has_it_by_now(sandbox: &Sandbox<'_>) {
    let bundle = with_passwd(sandbox).mount(json!({ "destination": "/etc", "type": "tmpfs" }));
    let container = sandbox.start(&bundle.probe(["wait"]));
    assert_eq!(executed(&container, []), "/");
    let line = "echo 'root:*:0:0::/later:/bin/sh' > /etc/passwd";
    container.exec([], ["sh", "-c", line]).run().succeeded();
    assert_eq!(executed(&container, []), "/later");
}
