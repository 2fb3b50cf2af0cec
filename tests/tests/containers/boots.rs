//! State that was written before the host was booted: the pid, the jid and the mounts in it are
//! nobody's, or somebody else's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use runj_jail::{Jail, Params, ProcessId};
use runj_tests::{Bundle, Container, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    each_boot_of_the_host_has_an_id,
    a_container_of_an_earlier_boot_is_stopped,
    a_container_of_an_earlier_boot_is_deleted,
    what_has_its_numbers_now_is_left_alone,
    a_container_that_was_being_created_is_deleted_by_force,
];

fn state_file(sandbox: &Sandbox<'_>, id: &str) -> PathBuf {
    sandbox.state_dir().join(id).join("state.json")
}

fn read(sandbox: &Sandbox<'_>, id: &str) -> Value {
    serde_json::from_slice(&fs::read(state_file(sandbox, id)).unwrap()).unwrap()
}

fn each_boot_of_the_host_has_an_id(sandbox: &Sandbox<'_>) {
    let containers = [sandbox.create(&sandbox.bundle()), sandbox.create(&sandbox.bundle())];
    let ids = containers.each_ref().map(|container| read(sandbox, container.id())["boot"].clone());
    assert_eq!(ids[0], ids[1]);
    // Sixteen random bytes, on Linux with hyphens between them.
    let digits = ids[0].as_str().unwrap().replace('-', "");
    assert_eq!(digits.len(), 32, "{digits:?}");
    assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digits:?}");
}

fn bundle(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox.bundle().set("root.readonly", true);
    bundle.mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_file() {
            fs::copy(entry.path(), to).unwrap();
        } else if kind.is_dir() {
            fs::create_dir(to).unwrap();
        }
    }
}

/// Leaves of a running container what a boot would: what is on disks. `change` may change what was
/// recorded further.
fn boot<'a>(
    sandbox: &'a Sandbox<'_>,
    bundle: &Bundle,
    change: impl FnOnce(&mut Value),
) -> Container<'a> {
    let container = sandbox.start(bundle);
    let directory = sandbox.state_dir().join(container.id());
    let kept = sandbox.path().join("kept");
    copy(&directory, &kept);
    container.delete_by_force();
    fs::rename(&kept, &directory).unwrap();
    fs::create_dir_all(bundle.rootfs().join("made/for/this")).unwrap();
    let mut state = read(sandbox, container.id());
    state["boot"] = "0123456789abcdef0123456789abcdef".into();
    change(&mut state);
    fs::write(state_file(sandbox, container.id()), state.to_string()).unwrap();
    container
}

#[track_caller]
fn assert_stopped(sandbox: &Sandbox<'_>, container: &Container<'_>) {
    let state = container.state();
    assert_eq!(state["status"], "stopped");
    assert_eq!(state.get("pid"), None);
    let message = sandbox.runj(["kill", container.id(), "KILL"]).run().refused();
    assert!(message.contains("container not running"), "{message}");
    let message = container.exec([], ["true"]).run().refused();
    assert!(message.contains("container not running"), "{message}");
    let message = container.verb("start").refused();
    assert!(message.contains("it is stopped, not created"), "{message}");
}

fn a_container_of_an_earlier_boot_is_stopped(sandbox: &Sandbox<'_>) {
    let container = boot(sandbox, &bundle(sandbox), |_| ());
    assert_stopped(sandbox, &container);
    let list = sandbox.runj(["list", "--format", "json"]).run().json();
    assert_eq!(list[0]["status"], "stopped");
}

fn a_container_of_an_earlier_boot_is_deleted(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = boot(sandbox, &bundle, |_| ());
    container.delete();
    // Also the mount point that was made for it.
    sandbox.host().assert_unchanged_since(&before);
    let again = sandbox.create_as(container.id(), &bundle);
    again.start();
    assert_eq!(again.status(), "running");
}

/// A process of the host.
struct Bystander(Child);

impl Drop for Bystander {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn what_has_its_numbers_now_is_left_alone(sandbox: &Sandbox<'_>) {
    let bystander = Bystander(Command::new("sleep").arg("1000").spawn().unwrap());
    let process = ProcessId::of(bystander.0.id().cast_signed()).unwrap().unwrap();
    let bundle = sandbox.bundle();
    let root = bundle.rootfs();
    let params = Params::new().string("name", sandbox.id()).flag("persist", true);
    let jail = Jail::create(&params.string("path", root.to_str().unwrap())).unwrap();

    let container = boot(sandbox, &bundle, |state| {
        state["init"] = json!({ "pid": process.pid(), "start": process.start() });
        state["jid"] = jail.jid().as_raw().into();
    });
    assert_stopped(sandbox, &container);
    container.delete();
    assert!(process.is_alive().unwrap());
    assert_eq!(Jail::by_jid(jail.jid()).unwrap(), Some(jail));
    jail.remove().unwrap();
}

fn a_container_that_was_being_created_is_deleted_by_force(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = boot(sandbox, &bundle, |state| {
        state["phase"] = "creating".into();
        state["init"] = Value::Null;
    });
    assert_eq!(container.status(), "stopped");
    container.delete_by_force();
    sandbox.host().assert_unchanged_since(&before);
}
