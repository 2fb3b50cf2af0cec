//! What others do to a container behind runj's back, and what a container leaves when its process
//! ends before its others.

use runj_jail::{Jail, Params};
use runj_tests::{Bundle, Container, DEADLINE, Sandbox};
use serde_json::json;

use crate::case::cases;

cases![
    a_jail_that_was_removed_while_running,
    a_jail_that_was_removed_before_the_start,
    a_jail_that_was_renamed,
    a_parent_jail_that_was_removed,
    another_jail_that_took_the_name,
    orphans_end_with_the_container,
    orphans_of_run_end_with_it,
];

fn jail(container: &Container<'_>) -> Jail {
    Jail::find(&container.id().parse().unwrap()).unwrap().expect("a jail by the id")
}

fn bundle(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox.bundle().set("root.readonly", true);
    bundle.mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
}

/// The container is stopped for all verbs, and deleted without force.
#[track_caller]
fn assert_stopped_and_deleted(sandbox: &Sandbox<'_>, container: &Container<'_>) {
    container.wait_stopped();
    assert_eq!(container.state().get("pid"), None);
    let message = sandbox.runj(["kill", container.id()]).run().refused();
    assert!(message.contains("container not running"), "{message}");
    let message = container.exec([], ["true"]).run().refused();
    assert!(message.contains("container not running"), "{message}");
    let message = container.verb("start").refused();
    assert!(message.contains("it is stopped, not created"), "{message}");
    container.delete();
}

fn a_jail_that_was_removed_while_running(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    jail(&container).remove().unwrap();
    assert_stopped_and_deleted(sandbox, &container);
    sandbox.host().assert_unchanged_since(&before);
}

/// On FreeBSD the process is outside until it starts, and learns then that there is no jail.
fn a_jail_that_was_removed_before_the_start(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    jail(&container).remove().unwrap();
    container.verb("start").refused();
    assert_stopped_and_deleted(sandbox, &container);
    sandbox.host().assert_unchanged_since(&before);
}

fn a_jail_that_was_renamed(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    let jail = jail(&container);
    jail.update(&Params::new().string("name", sandbox.id())).unwrap();
    assert_eq!(container.status(), "running");
    container.exec([], ["true"]).run().succeeded_silently();
    container.end();
    assert_eq!(Jail::by_jid(jail.jid()).unwrap(), None);
    sandbox.host().assert_unchanged_since(&before);
}

fn a_parent_jail_that_was_removed(sandbox: &Sandbox<'_>) {
    let bundle = bundle(sandbox);
    let parent = sandbox.id();
    let path = sandbox.path().to_str().unwrap();
    let params = Params::new().string("name", &*parent).string("path", path).flag("persist", true);
    let before = sandbox.host();
    let outer = Jail::create(&params).unwrap();
    let container = sandbox.start(&bundle.set("freebsd.jail.parent", parent.as_str()));
    outer.remove().unwrap();
    assert_stopped_and_deleted(sandbox, &container);
    drop(before);
}

/// Another's jail of the same name, which was not there when the container was made.
fn another_jail_that_took_the_name(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&bundle(sandbox));
    jail(&container).remove().unwrap();
    container.wait_stopped();
    let path = sandbox.path().to_str().unwrap();
    let other = Params::new().string("name", container.id()).string("path", path);
    let other = Jail::create(&other.flag("persist", true)).unwrap();
    assert_stopped_and_deleted(sandbox, &container);
    assert_eq!(Jail::by_jid(other.jid()).unwrap(), Some(other));
    other.remove().unwrap();
}

/// A bundle with a shell that runs this line, and /dev/null, which a shell gives what it leaves in
/// the background.
fn shell(sandbox: &Sandbox<'_>, line: &str) -> Bundle {
    bundle(sandbox).mount(json!({ "destination": "/dev", "type": "devfs" })).shell(line)
}

fn orphans_end_with_the_container(sandbox: &Sandbox<'_>) {
    let bundle = shell(sandbox, "sleep 1000 & sleep 1000 & exit 0");
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    container.wait_stopped();
    let jail = jail(&container);
    let orphans = jail.processes().unwrap();
    assert_eq!(orphans.len(), 2);
    container.delete();
    for orphan in orphans {
        assert!(orphan.wait(DEADLINE).unwrap());
    }
    sandbox.host().assert_unchanged_since(&before);
}

fn orphans_of_run_end_with_it(sandbox: &Sandbox<'_>) {
    let bundle = shell(sandbox, "sleep 1000 & echo ready; read line; exit 3");
    let before = sandbox.host();
    let (stdin, writer) = std::io::pipe().unwrap();
    let id = sandbox.id();
    let run = sandbox.runj(["run", &id]).args([bundle.dir()]).stdin(stdin).spawn();
    runj_tests::eventually("the shell", || run.stdout().contains("ready").then_some(()));
    let jail = Jail::find(&id.parse().unwrap()).unwrap().unwrap();
    let processes = jail.processes().unwrap();
    assert_eq!(processes.len(), 2);
    drop(writer);
    assert_eq!(run.wait().code(), 3);
    for process in processes {
        assert!(!process.is_alive().unwrap());
    }
    sandbox.host().assert_unchanged_since(&before);
}
