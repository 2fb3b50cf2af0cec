//! A root of the container's own, with nothing in it that the host has: `bin/runj-probe`, `dev` and
//! `tmp`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use runj_tests::{Bundle, Sandbox, copy_program};
use serde_json::json;

use crate::case::cases;

cases![
    nothing_of_the_host_is_in_it: OwnRoot,
    it_stays_as_the_container_leaves_it: OwnRoot,
    two_containers_share_it: OwnRoot,
];

/// The root, where `cargo xtask` has made one.
pub(crate) fn given() -> Option<PathBuf> {
    env::var_os("RUNJ_TEST_ROOT").map(PathBuf::from)
}

/// A bundle with a copy of it, in which the probe does that.
fn bundle<const N: usize>(sandbox: &Sandbox<'_>, args: [&str; N]) -> Bundle {
    let bundle = sandbox.bundle().set("mounts", json!([]));
    fs::remove_dir_all(bundle.rootfs()).unwrap();
    copy(&given().unwrap(), &bundle.rootfs());
    bundle.set("process.args", command(args))
}

fn command<const N: usize>(args: [&str; N]) -> Vec<String> {
    ["/bin/runj-probe"].into_iter().chain(args).map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            copy_program(&entry.path(), &to);
        }
    }
}

fn nothing_of_the_host_is_in_it(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, ["wait"]).mount(json!({ "destination": "/dev", "type": "devfs" }));
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    let files = |directory| container.exec([], command(["files", directory])).run().json();
    assert_eq!(files("/"), json!(["bin", "dev", "tmp"]));
    assert_eq!(files("/bin"), json!(["runj-probe"]));
    assert_eq!(files("/tmp"), json!([]));
    assert!(files("/dev").as_array().unwrap().contains(&json!("null")));
    let message = container.exec([], ["/bin/sh"]).run().refused();
    assert!(message.contains("/bin/sh"), "{message}");
    container.delete_by_force();
    sandbox.host().assert_unchanged_since(&before);
}

fn it_stays_as_the_container_leaves_it(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox, ["write", "/tmp/kept"]);
    sandbox.run(&bundle).succeeded();
    assert_eq!(fs::read(bundle.rootfs().join("tmp/kept")).unwrap(), b"/tmp/kept");
    let again = bundle.set("root.readonly", true).set("process.args", command(["files", "/tmp"]));
    assert_eq!(sandbox.run(&again).json(), json!(["kept"]));
    let refused = again.set("process.args", command(["write", "/tmp/other"]));
    assert_eq!(sandbox.run(&refused).json(), json!({ "errno": "EROFS" }));
}

fn two_containers_share_it(sandbox: &Sandbox<'_>) {
    let first = bundle(sandbox, ["wait"]);
    let root = first.rootfs();
    let second = sandbox.bundle().set("mounts", json!([])).set("root.path", root.to_str().unwrap());
    let second = second.set("process.args", command(["wait"]));
    let [first, second] = [first, second].map(|bundle| sandbox.start(&bundle));
    first.exec([], command(["write", "/tmp/shared"])).run().succeeded();
    let files = second.exec([], command(["files", "/tmp"])).run().json();
    assert_eq!(files, json!(["shared"]));
    // Its end is not that of the other.
    first.delete_by_force();
    assert_eq!(second.status(), "running");
    assert_eq!(fs::read_dir(root.join("bin")).unwrap().count(), 1);
}
