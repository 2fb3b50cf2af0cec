//! Nothing left of something: room on the disk, descriptors, processes, the right to write. What
//! cannot be done is said and undone, and what is there already can still be ended.

use std::fs;
use std::path::Path;

use runj_tests::{Bundle, FewProcesses, Invocation, Outcome, Sandbox, Tmpfs};
use serde_json::json;

use crate::case::cases;

cases![
    create_with_little_room_for_its_state,
    a_full_disk_is_no_obstacle_to_an_end,
    a_start_that_cannot_be_noted,
    a_state_directory_that_is_read_only,
    a_root_that_is_read_only,
    create_with_few_descriptors,
    other_verbs_with_few_descriptors,
    create_with_few_processes: Limits,
    other_verbs_with_few_processes: Limits,
];

/// A bundle for which there is something of every kind to do.
pub(crate) fn laborious(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox
        .bundle()
        .set("root.readonly", true)
        .mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
        .mount(json!({ "destination": "/dev", "type": "devfs" }));
    let hook = bundle.script("hook", "exit 0");
    bundle.set("hooks.createRuntime", json!([{ "path": hook }]))
}

fn create(sandbox: &Sandbox<'_>, id: &str, bundle: &Bundle) -> Invocation {
    sandbox.runj(["create", id, "--bundle"]).args([bundle.dir()])
}

/// It did what it was asked for, or says which of these was the reason. Whether it did.
#[track_caller]
fn done_or(outcome: &Outcome, reasons: &[&str]) -> bool {
    if outcome.status.success() {
        outcome.succeeded();
        return true;
    }
    let message = outcome.refused();
    assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}");
    false
}

const NO_ROOM: &str = "No space left";

fn create_with_little_room_for_its_state(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox);
    let disk = Tmpfs::mount(&sandbox.state_dir(), 64);
    let before = sandbox.host();
    let mut refused = 0;
    for pages in 0.. {
        assert!(disk.leave(pages), "{pages} pages were not enough");
        let id = sandbox.id();
        let created = create(sandbox, &id, &bundle).run();
        if done_or(&created, &[NO_ROOM]) {
            sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
            break;
        }
        refused += 1;
        assert!(created.stderr().contains(sandbox.state_dir().to_str().unwrap()));
        assert_eq!(disk.names(), [""; 0], "with {pages} pages");
        sandbox.host().assert_unchanged_since(&before);
    }
    assert!(refused > 2, "only {refused} were refused");
    assert_eq!(disk.names(), [""; 0]);
    sandbox.host().assert_unchanged_since(&before);
}

fn a_full_disk_is_no_obstacle_to_an_end(sandbox: &Sandbox<'_>) {
    let [one, other] = [laborious(sandbox), laborious(sandbox)];
    let disk = Tmpfs::mount(&sandbox.state_dir(), 64);
    let before = sandbox.host();
    let [created, running] = [sandbox.create(&one), sandbox.start(&other)];
    assert!(disk.leave(0));

    let list = sandbox.runj(["list", "--format", "json"]).run().json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    created.start();
    running.exec([], ["true"]).run().succeeded_silently();
    // What has to be remembered cannot be done.
    assert!(!done_or(&running.verb("pause"), &[NO_ROOM]));
    assert_eq!(running.status(), "running");
    running.exec([], ["true"]).run().succeeded_silently();

    running.end();
    created.delete_by_force();
    assert_eq!(disk.names(), [""; 0]);
    sandbox.host().assert_unchanged_since(&before);
}

/// With hooks inside, start has something to write down.
fn a_start_that_cannot_be_noted(sandbox: &Sandbox<'_>) {
    let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", "exit 0"] });
    let bundle = sandbox.bundle().set("hooks.startContainer", json!([hook]));
    let disk = Tmpfs::mount(&sandbox.state_dir(), 64);
    let container = sandbox.create(&bundle);
    assert!(disk.leave(0));
    // A file without a byte takes no page everywhere.
    if !done_or(&container.verb("start"), &[NO_ROOM]) {
        assert_eq!(container.status(), "created");
        disk.empty();
        container.start();
    }
    assert_eq!(container.status(), "running");
    container.delete_by_force();
}

fn a_state_directory_that_is_read_only(sandbox: &Sandbox<'_>) {
    const REASON: &str = "Read-only file system";
    let [bundle, another] = [laborious(sandbox), laborious(sandbox)];
    let disk = Tmpfs::mount(&sandbox.state_dir(), 64);
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    let while_running = sandbox.host();
    disk.set_read_only(true);

    let id = sandbox.id();
    let refused = create(sandbox, &id, &another).run();
    assert!(!done_or(&refused, &[REASON]));
    assert!(refused.stderr().contains(sandbox.state_dir().join(&id).to_str().unwrap()));
    assert_eq!(container.status(), "running");
    assert_eq!(sandbox.runj(["list", "-q"]).run().succeeded().trim(), container.id());
    container.exec([], ["true"]).run().succeeded_silently();
    container.kill("KILL");
    container.wait_stopped();
    assert!(!done_or(&container.verb("delete"), &[REASON]));
    assert!(!done_or(&sandbox.runj(["delete", "--force", container.id()]).run(), &[REASON]));
    // Nothing is forgotten of what is to be undone, and nothing half undone.
    assert_eq!(container.status(), "stopped");
    sandbox.host().assert_unchanged_since(&while_running);

    disk.set_read_only(false);
    container.delete();
    assert_eq!(disk.names(), [""; 0]);
    sandbox.host().assert_unchanged_since(&before);
}

fn a_root_that_is_read_only(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    // The file system that the root is on; what the host lends to it was in it before.
    let disk = Tmpfs::mount(&bundle.rootfs(), 64);
    fill(&bundle.rootfs());
    disk.set_read_only(true);
    let container = sandbox.start(&bundle);
    container.exec([], ["true"]).run().succeeded_silently();
    container.delete_by_force();

    // There is no place for these.
    let file = sandbox.path().join("file");
    fs::write(&file, "text").unwrap();
    let number = bundle.mounts();
    let tmpfs = json!({ "destination": "/made/for/this", "type": "tmpfs" });
    let copy = json!({ "destination": "/file", "type": "nullfs", "source": file });
    for mount in [tmpfs, copy] {
        let bundle = sandbox.bundle();
        let disk = Tmpfs::mount(&bundle.rootfs(), 64);
        fill(&bundle.rootfs());
        disk.set_read_only(true);
        let bundle = bundle.mount(mount);
        let message = sandbox.try_create(&sandbox.id(), &bundle).refused();
        assert!(message.contains(&format!("mounts[{number}]")), "{message}");
        assert!(message.to_lowercase().contains("read-only file system"), "{message}");
        assert_eq!(fs::read_dir(sandbox.state_dir()).unwrap().count(), 0);
    }
}

/// What a bundle's root has from the beginning, and directories to mount on.
fn fill(root: &Path) {
    for name in ["bin", "lib", "lib32", "lib64", "libexec", "sbin", "usr", "opt/probe"] {
        match fs::read_link(Path::new("/").join(name)) {
            Ok(target) => std::os::unix::fs::symlink(target, root.join(name)).unwrap(),
            Err(_) => fs::create_dir_all(root.join(name)).unwrap(),
        }
    }
}

/// From how many descriptors on a program can be called here at all.
fn fewest_descriptors(sandbox: &Sandbox<'_>) -> u64 {
    let runs =
        |most: &u64| sandbox.runj(["--version"]).most_descriptors(*most).run().status.success();
    (3..100).find(runs).expect("enough descriptors for --version")
}

const TOO_MANY: &[&str] = &["Too many open files", "EMFILE"];

/// Makes it with more and more of something until it can be made; how often it could not. Whatever
/// one has left that could not, delete takes away.
fn until_created(
    sandbox: &Sandbox<'_>,
    reasons: &[&str],
    from: u64,
    mut starve: impl FnMut(Invocation, u64) -> Outcome,
) -> u64 {
    let bundle = laborious(sandbox);
    let before = sandbox.host();
    for amount in from..from + 100 {
        let id = sandbox.id();
        let created = done_or(&starve(create(sandbox, &id, &bundle), amount), reasons);
        if created {
            assert_eq!(sandbox.runj(["state", &id]).run().json()["status"], "created");
        }
        sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
        sandbox.host().assert_unchanged_since(&before);
        if created {
            return amount - from;
        }
    }
    panic!("it could not be created with {} either", from + 100);
}

fn create_with_few_descriptors(sandbox: &Sandbox<'_>) {
    let from = fewest_descriptors(sandbox);
    let starve = |create: Invocation, most| create.most_descriptors(most).run();
    assert!(until_created(sandbox, TOO_MANY, from, starve) > 3);
}

/// Calls each verb with more and more of something until it works.
fn until_all_work(
    sandbox: &Sandbox<'_>,
    reasons: &[&str],
    from: u64,
    mut starve: impl FnMut(Invocation, u64) -> Outcome,
) {
    let bundle = laborious(sandbox);
    let before = sandbox.host();
    let container = sandbox.create(&bundle);
    let id = container.id();
    let verbs: [&[&str]; 7] = [
        &["state", id],
        &["list"],
        &["start", id],
        &["exec", id, "true"],
        &["ps", id],
        &["kill", "--all", id, "KILL"],
        &["delete", "--force", id],
    ];
    for verb in verbs {
        let mut amounts = from..from + 100;
        let works = |amount: u64| {
            let outcome = starve(sandbox.runj(verb), amount);
            let works = done_or(&outcome, reasons);
            // A list that lacks some would be worse than none.
            assert!(!works || verb != ["list"] || outcome.stdout().contains(id));
            works
        };
        if !amounts.any(works) {
            panic!("{verb:?} did not work with {} either", from + 100);
        }
    }
    sandbox.host().assert_unchanged_since(&before);
}

/// Pauses a container with more and more of something until that works. What was stopped of one
/// that could not be paused goes on, or is mended by resume.
fn until_paused(
    sandbox: &Sandbox<'_>,
    reasons: &[&str],
    from: u64,
    mut starve: impl FnMut(Invocation, u64) -> Outcome,
) {
    let container = sandbox.start(&sandbox.bundle());
    let paused = (from..from + 100).any(|amount| {
        let paused = done_or(&starve(sandbox.runj(["pause", container.id()]), amount), reasons);
        if paused || container.status() == "paused" {
            container.verb("resume").succeeded_silently();
        }
        assert_eq!(container.status(), "running");
        container.exec([], ["true"]).run().succeeded_silently();
        paused
    });
    assert!(paused, "it could not be paused with {} either", from + 100);
}

fn other_verbs_with_few_descriptors(sandbox: &Sandbox<'_>) {
    let from = fewest_descriptors(sandbox);
    until_all_work(sandbox, TOO_MANY, from, |verb, most| verb.most_descriptors(most).run());
    until_paused(sandbox, TOO_MANY, from, |pause, most| pause.most_descriptors(most).run());
}

const NO_PROCESS: &[&str] = &["Resource temporarily unavailable", "EAGAIN"];

/// Runs it as one of that many processes. They are kept for as long as one may be left.
fn as_one_of(verb: Invocation, count: u64, kept: &mut Vec<FewProcesses>) -> Outcome {
    let few = FewProcesses::at_most(usize::try_from(count).unwrap());
    let outcome = verb.among(&few).run();
    kept.push(few);
    outcome
}

fn create_with_few_processes(sandbox: &Sandbox<'_>) {
    let mut kept = Vec::new();
    let starve = |create: Invocation, count| as_one_of(create, count, &mut kept);
    assert!(until_created(sandbox, NO_PROCESS, 1, starve) > 0);
}

fn other_verbs_with_few_processes(sandbox: &Sandbox<'_>) {
    let mut kept = Vec::new();
    until_all_work(sandbox, NO_PROCESS, 1, |verb, count| as_one_of(verb, count, &mut kept));
    until_paused(sandbox, NO_PROCESS, 1, |pause, count| as_one_of(pause, count, &mut kept));
}
