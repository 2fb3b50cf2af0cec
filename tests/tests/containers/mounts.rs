//! The root and what is mounted in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use runj_tests::{OnDrop, Sandbox, exchange};
use serde_json::json;

use crate::case::cases;

cases![
    the_root_is_relative_absolute_or_where_it_conventionally_is,
    the_root_can_be_a_link,
    a_read_only_root,
    a_writable_root,
    nullfs_read_only_and_writable,
    nullfs_relative_to_the_bundle,
    tmpfs_with_a_size_and_a_mode,
    devfs_has_devices,
    fdescfs_shows_descriptors,
    procfs_shows_processes,
    linprocfs_shows_processes_as_linux_does: LinuxFileSystems,
    linsysfs_shows_the_host_as_linux_does: LinuxFileSystems,
    later_mounts_are_made_inside_earlier_ones,
    destinations_are_made_and_removed,
    destinations_that_were_there_stay,
    what_is_left_in_a_destination_stays,
    relative_destinations_start_at_the_root,
    links_are_followed_inside_the_root,
    links_that_change_while_we_look,
    a_mount_that_the_host_uses_goes_all_the_same,
    a_mount_that_was_moved_goes_all_the_same,
    two_containers_of_one_read_only_root,
    deleting_what_may_mount_leaves_others_their_mounts,
    a_link_put_where_something_is_copied_up_is_not_followed,
];

/// A directory of the host with a file in it.
fn shared(sandbox: &Sandbox<'_>, name: &str) -> PathBuf {
    let directory = sandbox.path().join(name);
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("file"), name).unwrap();
    directory
}

fn the_root_is_relative_absolute_or_where_it_conventionally_is(sandbox: &Sandbox<'_>) {
    let other = sandbox.bundle();
    fs::write(other.rootfs().join("here"), "absolute").unwrap();
    let absolute = sandbox.bundle().set("root.path", other.rootfs().to_str().unwrap());
    assert_eq!(sandbox.output(&absolute, "cat /here"), "absolute");

    let bundle = sandbox.bundle();
    fs::write(bundle.rootfs().join("here"), "conventional").unwrap();
    assert_eq!(sandbox.output(&bundle, "cat /here"), "conventional");

    fs::rename(bundle.rootfs(), bundle.dir().join("elsewhere")).unwrap();
    let bundle = bundle.set("root.path", "./elsewhere");
    assert_eq!(sandbox.output(&bundle, "cat /here"), "conventional");
}

fn the_root_can_be_a_link(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    fs::rename(bundle.rootfs(), bundle.dir().join("real")).unwrap();
    symlink("real", bundle.rootfs()).unwrap();
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    // Where the link leads later does not matter.
    let aside = bundle.dir().join("aside");
    fs::rename(bundle.rootfs(), &aside).unwrap();
    symlink("/", bundle.rootfs()).unwrap();
    container.delete_by_force();
    fs::rename(aside, bundle.rootfs()).unwrap();
    sandbox.host().assert_unchanged_since(&before);
}

fn a_read_only_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("root.readonly", true).mount(json!({
        "destination": "/scratch",
        "type": "tmpfs"
    }));
    let before = sandbox.host();
    let line = "touch /file 2>&- || echo refused; touch /scratch/file && echo allowed";
    assert_eq!(sandbox.output(&bundle, line), "refused\nallowed\n");
    sandbox.host().assert_unchanged_since(&before);
}

fn a_writable_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    assert_eq!(sandbox.output(&bundle, "echo text > /file"), "");
    assert_eq!(fs::read_to_string(bundle.rootfs().join("file")).unwrap(), "text\n");
}

fn nullfs_read_only_and_writable(sandbox: &Sandbox<'_>) {
    let (locked, open) = (shared(sandbox, "locked"), shared(sandbox, "open"));
    let bundle = sandbox.bundle().nullfs(&locked, "/locked", "ro").nullfs(&open, "/open", "rw");
    let line =
        "cat /locked/file /open/file; touch /locked/new 2>&- || echo refused; touch /open/new";
    assert_eq!(sandbox.output(&bundle, line), "lockedopenrefused\n");
    assert!(open.join("new").exists() && !locked.join("new").exists());
}

fn nullfs_relative_to_the_bundle(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().nullfs(Path::new("data"), "/data", "ro");
    fs::create_dir(bundle.dir().join("data")).unwrap();
    fs::write(bundle.dir().join("data/file"), "relative").unwrap();
    assert_eq!(sandbox.output(&bundle, "cat /data/file"), "relative");
}

fn tmpfs_with_a_size_and_a_mode(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(json!({
        "destination": "/scratch",
        "type": "tmpfs",
        "options": ["size=64k", "mode=1777"]
    }));
    let line = "ls -ld /scratch; head -c 60000 /dev/zero > /scratch/fits || echo small; \
                head -c 100000 /dev/zero 2>&- > /scratch/exceeds || echo full";
    let bundle = bundle.mount(json!({ "destination": "/dev", "type": "devfs" }));
    let output = sandbox.output(&bundle, line);
    assert!(output.starts_with("drwxrwxrwt"), "{output}");
    assert!(output.ends_with("full\n") && !output.contains("small"), "{output}");
}

fn devfs_has_devices(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(json!({ "destination": "/dev", "type": "devfs" }));
    let line = "echo gone > /dev/null && head -c 4 /dev/zero | wc -c && \
                head -c 8 /dev/urandom | wc -c";
    let output = sandbox.output(&bundle, line);
    assert_eq!(output.split_whitespace().collect::<Vec<_>>(), ["4", "8"]);
    // What would show the host's disks and memory is not there.
    let line = "for d in mem kmem sda vda ada0 vtbd0 da0; do test -e /dev/$d && echo $d; done; :";
    assert_eq!(sandbox.output(&bundle, line), "");
}

fn fdescfs_shows_descriptors(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/dev", "type": "devfs" }))
        .mount(json!({ "destination": "/dev/fd", "type": "fdescfs" }));
    let line = "echo through | cat /dev/fd/0; echo four 4>&1 >>/dev/fd/4";
    assert_eq!(sandbox.output(&bundle, line), "through\nfour\n");
}

fn procfs_shows_processes(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(json!({ "destination": "/proc", "type": "procfs" }));
    let line = "test -d /proc/$$ && echo self";
    assert_eq!(sandbox.output(&bundle, line), "self\n");
}

fn linprocfs_shows_processes_as_linux_does(sandbox: &Sandbox<'_>) {
    let mount = json!({ "destination": "/compat/linux/proc", "type": "linprocfs" });
    let bundle = sandbox.bundle().mount(mount);
    let before = sandbox.host();
    let line = "cd /compat/linux/proc; grep -c ^processor cpuinfo >&- && echo cpuinfo; \
                grep Name: $$/status; test -d 1 || echo alone";
    assert_eq!(sandbox.output(&bundle, line), "cpuinfo\nName:\tsh\nalone\n");
    sandbox.host().assert_unchanged_since(&before);
}

fn linsysfs_shows_the_host_as_linux_does(sandbox: &Sandbox<'_>) {
    let mount = json!({ "destination": "/compat/linux/sys", "type": "linsysfs" });
    let bundle = sandbox.bundle().mount(mount);
    let before = sandbox.host();
    let line = "cd /compat/linux/sys; test -d devices/system/cpu && echo cpu; test -d class/net && echo net";
    assert_eq!(sandbox.output(&bundle, line), "cpu\nnet\n");
    sandbox.host().assert_unchanged_since(&before);
}

fn later_mounts_are_made_inside_earlier_ones(sandbox: &Sandbox<'_>) {
    let data = shared(sandbox, "data");
    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/a", "type": "tmpfs" }))
        .nullfs(&data, "/a/deep/inside", "ro")
        .mount(json!({ "destination": "/a", "type": "tmpfs", "options": ["mode=700"] }))
        .nullfs(&data, "/a/again", "ro");
    let before = sandbox.host();
    // The second one on /a hides the first, and what is in it.
    assert_eq!(sandbox.output(&bundle, "ls /a; cat /a/again/file"), "again\ndata");
    sandbox.host().assert_unchanged_since(&before);
}

fn destinations_are_made_and_removed(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/not/there/yet", "type": "tmpfs" }))
        .mount(json!({ "destination": "/not/there/either", "type": "tmpfs" }));
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    assert!(bundle.rootfs().join("not/there/either").is_dir());
    container.end();
    sandbox.host().assert_unchanged_since(&before);
}

fn destinations_that_were_there_stay(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["true"]);
    let bundle = bundle.mount(json!({ "destination": "/there/already/new", "type": "tmpfs" }));
    fs::create_dir_all(bundle.rootfs().join("there/already")).unwrap();
    let before = sandbox.host();
    sandbox.run(&bundle).succeeded_silently();
    sandbox.host().assert_unchanged_since(&before);
}

fn what_is_left_in_a_destination_stays(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(json!({ "destination": "/made/here", "type": "tmpfs" }));
    let bundle = bundle.shell("echo kept > /made/file");
    sandbox.run(&bundle).succeeded_silently();
    assert_eq!(fs::read_to_string(bundle.rootfs().join("made/file")).unwrap(), "kept\n");
    assert!(!bundle.rootfs().join("made/here").exists());
}

fn relative_destinations_start_at_the_root(sandbox: &Sandbox<'_>) {
    let data = shared(sandbox, "data");
    let bundle = sandbox.bundle().nullfs(&data, "relative", "ro").set("process.cwd", "/usr");
    assert_eq!(sandbox.output(&bundle, "cat /relative/file"), "data");
}

/// A directory of the host that nothing is to happen to.
struct Victim(PathBuf);

impl Victim {
    fn new(sandbox: &Sandbox<'_>) -> Self {
        let directory = sandbox.path().join("victim");
        fs::create_dir(&directory).unwrap();
        Self(directory)
    }

    #[track_caller]
    fn assert_untouched(&self, sandbox: &Sandbox<'_>) {
        assert_eq!(fs::read_dir(&self.0).unwrap().count(), 0, "something was made there");
        let host = format!("{:?}", sandbox.host());
        assert!(!host.contains(&format!("mount {}", self.0.display())), "{host}");
    }
}

fn links_are_followed_inside_the_root(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let data = shared(sandbox, "data");
    let climb = "../".repeat(50);
    let absolute = victim.0.display().to_string();
    for (number, target) in
        ["inside", &absolute, &format!("{climb}{absolute}"), "../../inside", "/inside/", "."]
            .into_iter()
            .enumerate()
    {
        let destination = format!("/link{number}/mounted");
        let bundle = sandbox.bundle().nullfs(&data, &destination, "ro");
        fs::create_dir(bundle.rootfs().join("inside")).unwrap();
        symlink(target, bundle.rootfs().join(format!("link{number}"))).unwrap();
        let before = sandbox.host();
        let container = sandbox.start(&bundle);
        victim.assert_untouched(sandbox);
        let seen = container.exec([], ["cat", &format!("{destination}/file")]).run().succeeded();
        assert_eq!(seen, "data", "{target}");
        container.delete_by_force();
        victim.assert_untouched(sandbox);
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn links_that_change_while_we_look(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let data = shared(sandbox, "data");
    // Each of them is another chance to go wrong.
    let bundle = (0..25).fold(sandbox.bundle(), |bundle, number| {
        bundle.nullfs(&data, &format!("/changing/mounted{number}"), "ro")
    });
    let root = bundle.rootfs();
    fs::create_dir(root.join("changing")).unwrap();
    symlink(&victim.0, root.join("other")).unwrap();
    let [directory, link] = [root.join("changing"), root.join("other")];
    let done = AtomicBool::new(false);
    // Taken to change something.
    let turn = Mutex::new(());
    thread::scope(|scope| {
        // The container swaps a directory for a link to the host, again and again.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _turn = turn.lock();
                exchange(&directory, &link);
            }
        });
        let _done = OnDrop(&done);
        for _ in 0..20 {
            let id = sandbox.id();
            // It may be refused; it must not be fooled.
            let created = sandbox.try_create(&id, &bundle);
            victim.assert_untouched(sandbox);
            let _turn = turn.lock();
            if directory.is_symlink() {
                // A mount that has been moved away is not what this is about.
                exchange(&directory, &link);
            }
            if created.status.success() {
                sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
            }
            victim.assert_untouched(sandbox);
        }
    });
    assert!(victim.0.is_dir());
}

fn a_mount_that_the_host_uses_goes_all_the_same(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().mount(json!({ "destination": "/busy", "type": "tmpfs" }));
    let before = sandbox.host();
    let container = sandbox.start(&bundle);
    let busy = fs::File::open(bundle.rootfs().join("busy")).unwrap();
    container.delete_by_force();
    sandbox.host().assert_unchanged_since(&before);
    drop(busy);
}

fn a_mount_that_was_moved_goes_all_the_same(sandbox: &Sandbox<'_>) {
    // As a container can do with what is above its mounts.
    let bundle = sandbox.bundle().mount(json!({ "destination": "/made/here", "type": "tmpfs" }));
    let container = sandbox.start(&bundle);
    container.exec([], ["mv", "/made", "/moved"]).run().succeeded_silently();
    container.delete_by_force();
    assert_eq!(fs::read_dir(bundle.rootfs().join("moved/here")).unwrap().count(), 0);
    fs::remove_dir(bundle.rootfs().join("moved/here")).unwrap();
}

fn two_containers_of_one_read_only_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("root.readonly", true);
    let (first, second) = (sandbox.start(&bundle), sandbox.start(&bundle));
    first.delete_by_force();
    // The other one has its mounts still.
    second.exec([], ["true"]).run().succeeded_silently();
    second.delete_by_force();
}

fn deleting_what_may_mount_leaves_others_their_mounts(sandbox: &Sandbox<'_>) {
    let outer = sandbox.bundle().set("freebsd.jail.allow.mount", true);
    let first = sandbox.create(&outer);
    // Created later, with a root inside of the other's.
    let inner = sandbox.bundle_in(outer.rootfs().join("inner"));
    let second = sandbox.start(&inner);
    first.delete_by_force();
    assert!(fs::read_dir(inner.rootfs().join("opt/probe")).unwrap().count() > 0);
    second.exec([], ["true"]).run().succeeded_silently();
    second.delete_by_force();
}

/// Other containers that have the same root can do that, while it is copied.
fn a_link_put_where_something_is_copied_up_is_not_followed(sandbox: &Sandbox<'_>) {
    const PIPES: usize = 1000;
    let victim = sandbox.path().join("victim");
    fs::write(&victim, "of the host").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    let bundle = sandbox.bundle().mount(json!({
        "destination": "/x", "type": "tmpfs", "options": ["tmpcopyup"]
    }));
    let directory = bundle.rootfs().join("x");
    fs::create_dir(&directory).unwrap();
    for number in 0..PIPES {
        let pipe = directory.join(number.to_string());
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    // As they are copied: in the order of the directory.
    let pipes: Vec<_> =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let covered = fs::metadata(&directory).unwrap().dev();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let is_done = || done.load(Ordering::Relaxed);
            while fs::metadata(&directory).unwrap().dev() == covered && !is_done() {}
            let link = directory.join("link");
            for pipe in pipes {
                // All this fails once the container is gone.
                let _ = symlink(&victim, &link);
                while pipe.symlink_metadata().is_err() && !is_done() {}
                if is_done() {
                    break;
                }
                let _ = fs::rename(&link, &pipe);
            }
        });
        // The host may refuse to go on with what is no pipe any more.
        let _ = sandbox.try_create(&sandbox.id(), &bundle);
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o777, 0o600);
}
