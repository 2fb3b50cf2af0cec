//! State that is not as runj left it: cut off, somebody else's, of a runj to come, or where others
//! can write. It is refused by the name of the file, and what it is about can still be undone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime, clock_settime};
use runj_tests::{Bundle, Container, Outcome, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    a_state_that_cannot_be_understood,
    a_ledger_that_cannot_be_understood,
    a_ledger_that_was_cut_off,
    a_state_from_the_future,
    a_clock_that_is_set_back: OwnClock,
    a_state_directory_of_another_user,
    a_state_directory_that_others_can_write_to,
    a_state_directory_that_is_a_link,
    a_container_s_directory_that_is_not_runj_s,
];

fn bundle(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox.bundle().set("root.readonly", true);
    bundle.mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
}

fn file(sandbox: &Sandbox<'_>, container: &Container<'_>, name: &str) -> PathBuf {
    sandbox.state_dir().join(container.id()).join(name)
}

/// It refuses, and names that path.
#[track_caller]
fn refuses(outcome: &Outcome, path: &Path) {
    let message = outcome.refused();
    assert!(message.contains(&format!("{path:?}")), "{message}");
}

fn a_state_that_cannot_be_understood(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let container = sandbox.start(&bundle);
    let other = sandbox.create(&sandbox.bundle());
    let path = file(sandbox, &container, "state.json");
    let text = fs::read_to_string(&path).unwrap();
    let state: Value = serde_json::from_str(&text).unwrap();
    let with = |key: &str, value: Value| {
        let mut state = state.clone();
        state[key] = value;
        state.to_string()
    };
    let bad = [
        String::new(),
        text[..text.len() / 2].to_owned(),
        "[]".into(),
        // Another runtime's.
        json!({ "id": container.id(), "init_process_pid": 1, "rootless": false }).to_string(),
        with("version", 2.into()),
        with("id", other.id().into()),
        with("jid", "1".into()),
        format!("{text}{text}"),
    ];
    for bad in bad {
        fs::write(&path, bad).unwrap();
        for verb in ["state", "start", "kill", "pause", "ps", "delete"] {
            refuses(&container.verb(verb), &path);
        }
        refuses(&container.exec([], ["true"]).run(), &path);
        refuses(&sandbox.runj(["delete", "--force", container.id()]).run(), &path);
        let message = sandbox.try_create(container.id(), &bundle).refused();
        assert!(message.contains("already exists"), "{message}");
        // It is no obstacle to the others.
        assert_eq!(sandbox.runj(["list", "-q"]).run().succeeded().trim(), other.id());
        sandbox.run(&sandbox.bundle().args(["true"])).succeeded_silently();
    }
    fs::write(&path, text).unwrap();
    assert_eq!(container.status(), "running");
    container.exec([], ["true"]).run().succeeded_silently();
    for id in [container.id(), other.id()] {
        sandbox.runj(["delete", "--force", id]).run().succeeded_silently();
    }
    assert_eq!(fs::read_dir(sandbox.state_dir()).unwrap().count(), 0);
}

fn a_ledger_that_cannot_be_understood(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    let path = file(sandbox, &container, "ledger");
    let text = fs::read(&path).unwrap();
    let bad: [&[u8]; 4] = [b"", b"nonsense\n", b"\xff\xfe\n", b"{\"deed\":\"comet\"}\n"];
    for bad in bad {
        // In front of what was done, or instead of it.
        let bad = if bad.is_empty() { Vec::new() } else { [bad, &*text].concat() };
        fs::write(&path, bad).unwrap();
        assert_ne!(container.status(), "creating");
        refuses(&sandbox.runj(["delete", "--force", container.id()]).run(), &path);
        // What there is to be undone is there.
        let jail = runj_jail::Jail::find(&container.id().parse().unwrap()).unwrap();
        assert!(jail.is_some());
    }
    fs::write(&path, text).unwrap();
    container.delete_by_force();
    sandbox.host().assert_unchanged_since(&before);
}

/// As by a disk that was full, or by a kill in the middle of a write.
fn a_ledger_that_was_cut_off(sandbox: &Sandbox<'_>) {
    let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", "exit 0"] });
    let bundle = bundle(sandbox).set("hooks.poststart", json!([hook]));
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let path = file(sandbox, &container, "ledger");
    let mut text = fs::read(&path).unwrap();
    text.extend(b"{\"deed\":\"mount\",\"pa");
    fs::write(&path, text).unwrap();
    // This writes more.
    container.start();
    container.delete_by_force();
    sandbox.host().assert_unchanged_since(&before);
}

fn a_state_from_the_future(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let path = file(sandbox, &container, "state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    state["created"] = "2999-12-31T23:59:59Z".into();
    fs::write(&path, state.to_string()).unwrap();
    let list = sandbox.runj(["list", "--format", "json"]).run().json();
    assert_eq!(list[0]["created"], "2999-12-31T23:59:59Z");
    container.start();
    assert_eq!(container.status(), "running");
    container.exec([], ["true"]).run().succeeded_silently();
    container.end();
    sandbox.host().assert_unchanged_since(&before);
}

/// The host's clock, so much later for as long as this is there.
struct Later(i64);

impl Later {
    fn by(seconds: i64) -> Self {
        let now = clock_gettime(ClockId::CLOCK_REALTIME).unwrap();
        let then = TimeSpec::new(now.tv_sec() + seconds, now.tv_nsec());
        clock_settime(ClockId::CLOCK_REALTIME, then).unwrap();
        Self(seconds)
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        std::mem::forget(Self::by(-self.0));
    }
}

/// A process is told from others by when it started, and a host's boot from others.
fn a_clock_that_is_set_back(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    for seconds in [-86_400, 86_400] {
        let container = sandbox.start(&bundle);
        let state = container.state();
        let another_time = Later::by(seconds);
        assert_eq!(container.state(), state);
        container.exec([], ["true"]).run().succeeded_silently();
        container.verb("pause").succeeded_silently();
        container.verb("resume").succeeded_silently();
        container.end();
        // Made at the one time, ended at the other.
        let container = sandbox.start(&bundle);
        drop(another_time);
        assert_eq!(container.status(), "running");
        container.delete_by_force();
        sandbox.host().assert_unchanged_since(&before);
    }
}

/// No verb has anything to do with states in this directory.
#[track_caller]
fn refused_by_all(sandbox: &Sandbox<'_>, directory: &Path, names: &Path) {
    let bundle = sandbox.bundle();
    let verbs: [&[&str]; 9] = [
        &["state", "one"],
        &["start", "one"],
        &["exec", "one", "true"],
        &["kill", "one"],
        &["pause", "one"],
        &["ps", "one"],
        &["delete", "one"],
        &["delete", "--force", "one"],
        &["create", "one", "--bundle"],
    ];
    for verb in verbs {
        let call = sandbox.runj_without_root().args(["--root".as_ref(), directory.as_os_str()]);
        let call = call.args(verb);
        let call = if verb[0] == "create" { call.args([bundle.dir()]) } else { call };
        refuses(&call.run(), names);
    }
}

/// What would have been believed: that pid 1 is a container's process, to be killed.
fn forged(directory: &Path) -> Vec<u8> {
    let container = directory.join("one");
    fs::create_dir_all(&container).unwrap();
    fs::write(container.join("lock"), "").unwrap();
    let text = br#"{"deed":"mountPoint","root":"/","path":"forged","directory":true}"#;
    fs::write(container.join("ledger"), text).unwrap();
    text.to_vec()
}

#[track_caller]
fn untouched(directory: &Path, forged: &[u8]) {
    assert_eq!(fs::read(directory.join("one/ledger")).unwrap(), forged);
    assert_eq!(fs::read_dir(directory.join("one")).unwrap().count(), 2);
}

fn a_state_directory_of_another_user(sandbox: &Sandbox<'_>) {
    let directory = sandbox.path().join("theirs");
    let text = forged(&directory);
    chown(&directory, Some(1234), None).unwrap();
    refused_by_all(sandbox, &directory, &directory);
    let list = sandbox.runj_without_root().args(["--root".as_ref(), directory.as_os_str()]);
    refuses(&list.args(["list"]).run(), &directory);
    untouched(&directory, &text);
}

fn a_state_directory_that_others_can_write_to(sandbox: &Sandbox<'_>) {
    for mode in [0o777, 0o1777, 0o770, 0o702] {
        let directory = sandbox.path().join(format!("open{mode}"));
        let text = forged(&directory);
        fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
        refused_by_all(sandbox, &directory, &directory);
        untouched(&directory, &text);
    }
}

fn a_state_directory_that_is_a_link(sandbox: &Sandbox<'_>) {
    let [directory, link] = ["there", "link"].map(|name| sandbox.path().join(name));
    let text = forged(&directory);
    symlink(&directory, &link).unwrap();
    refused_by_all(sandbox, &link, &link);
    untouched(&directory, &text);
}

fn a_container_s_directory_that_is_not_runj_s(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&bundle(sandbox));
    let directory = sandbox.state_dir().join(container.id());
    let other = sandbox.create(&sandbox.bundle());
    for (owner, mode) in [(1234, 0o700), (0, 0o777)] {
        chown(&directory, Some(owner), None).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
        for verb in ["state", "start", "kill", "delete"] {
            refuses(&container.verb(verb), &directory);
        }
        assert_eq!(sandbox.runj(["list", "-q"]).run().succeeded().trim(), other.id());
    }
    chown(&directory, Some(0), None).unwrap();
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(container.status(), "running");
    // A link is no directory of a container's.
    symlink(&directory, sandbox.state_dir().join("link")).unwrap();
    let message = sandbox.runj(["delete", "link"]).run().refused();
    assert_eq!(message, "container does not exist: link");
    assert_eq!(container.status(), "running");
    fs::remove_file(sandbox.state_dir().join("link")).unwrap();
}
