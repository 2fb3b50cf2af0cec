//! What a root, and who is in a container, can do against the host.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag};
use runj_jail::Jail;
use runj_tests::{Bundle, OnDrop, Sandbox, eventually, exchange};
use serde_json::json;

use crate::case::cases;

cases![
    links_out_of_the_root_lead_into_it,
    a_terminal_s_path_that_leads_out,
    files_are_not_copied_out_of_a_root_that_changes,
    devices_are_not_made_outside_of_a_root_that_changes,
    no_home_is_read_outside_of_a_root_that_changes,
    no_directory_is_entered_outside_of_a_root_that_changes,
    nothing_of_the_caller_s_environment_is_inside,
    a_pid_file_is_not_written_over_another_file,
    programs_of_the_image_are_not_run,
    one_that_forks_without_end_is_killed_whole: Limits,
    one_that_passes_itself_on_is_killed_whole,
];

/// Directories of a root that are links to those of the victim.
const LED_OUT: [&str; 3] = ["dev", "etc", "cwd"];

/// A directory of the host's, and what is in it.
struct Victim {
    path: PathBuf,
    before: BTreeSet<String>,
}

impl Victim {
    fn new(sandbox: &Sandbox<'_>) -> Self {
        let path = sandbox.path().join("victim");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("passwd"), "root:*:0:0::/outside:/bin/sh\n").unwrap();
        fs::write(path.join("kept"), "kept").unwrap();
        for name in LED_OUT {
            fs::create_dir(path.join(name)).unwrap();
        }
        fs::write(path.join("etc/passwd"), "root:*:0:0::/outside:/bin/sh\n").unwrap();
        // A terminal has the path of one of these.
        fs::create_dir(path.join("pts")).unwrap();
        (0..100).for_each(|number| fs::write(path.join(format!("pts/{number}")), "").unwrap());
        let before = Self::listed(&path);
        Self { path, before }
    }

    fn listed(path: &Path) -> BTreeSet<String> {
        let metadata = fs::symlink_metadata(path).unwrap();
        let (mode, uid, inode) = (metadata.mode(), metadata.uid(), metadata.ino());
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        let line = format!("{} {mode:o} {uid} {inode} {size}", path.display());
        let mut lines = BTreeSet::from([line]);
        if metadata.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                lines.extend(Self::listed(&entry.unwrap().path()));
            }
        }
        lines
    }

    #[track_caller]
    fn assert_untouched(&self, sandbox: &Sandbox<'_>) {
        assert_eq!(Self::listed(&self.path), self.before);
        let host = format!("{:?}", sandbox.host());
        assert!(!host.contains(&format!("mount {}", self.path.display())), "{host}");
    }
}

fn links_out_of_the_root_lead_into_it(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let file = sandbox.path().join("file");
    fs::write(&file, "text").unwrap();
    let climb = format!("{}{}", "../".repeat(40), victim.path.display());
    for target in [victim.path.display().to_string(), climb] {
        let bundle = sandbox
            .bundle()
            .mount(json!({ "destination": "/dev", "type": "devfs" }))
            .mount(json!({ "destination": "/dev/fd", "type": "fdescfs" }))
            .nullfs(&file, "/etc/file", "ro")
            .nullfs(&file, "/etc/kept", "ro")
            .mount(json!({ "destination": "/etc/made", "type": "tmpfs" }))
            .set("process.cwd", "/cwd")
            .probe(["report"]);
        let root = bundle.rootfs();
        // Where they lead to, seen from the root.
        let inside = root.join(victim.path.strip_prefix("/").unwrap());
        for name in LED_OUT {
            symlink(format!("{target}/{name}"), root.join(name)).unwrap();
            fs::create_dir_all(inside.join(name)).unwrap();
        }
        let before = sandbox.host();
        let report = sandbox.run(&bundle).json();
        let cwd = victim.path.join("cwd");
        assert_eq!(report["cwd"], json!(cwd), "the path is one of the container's");
        let environment = report["env"].as_array().unwrap();
        assert!(environment.contains(&json!("HOME=/")), "{environment:?}");
        victim.assert_untouched(sandbox);
        sandbox.host().assert_unchanged_since(&before);
        // Without anything there, it is nothing.
        let bundle = sandbox.bundle().set("process.cwd", "/cwd");
        symlink(format!("{target}/cwd"), bundle.rootfs().join("cwd")).unwrap();
        let message = sandbox.refused(&bundle);
        assert!(message.starts_with("process.cwd"), "{message}");
        victim.assert_untouched(sandbox);
    }
}

/// The user is given the terminal by its path, which is one in the root.
fn a_terminal_s_path_that_leads_out(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let bundle = sandbox
        .bundle()
        .set("process.terminal", true)
        .set("process.user", json!({ "uid": 1234, "gid": 1234 }))
        .args(["true"]);
    symlink(&victim.path, bundle.rootfs().join("dev")).unwrap();
    let (stdin, _writer) = std::io::pipe().unwrap();
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    run.stdin(stdin).run().succeeded();
    victim.assert_untouched(sandbox);
}

/// For how long a race is run.
const RACE: Duration = Duration::from_secs(4);

/// Exchanges two names in a root on and on, while `work` is done again and again for some seconds.
fn race(one: &Path, other: &Path, mut work: impl FnMut()) {
    let done = AtomicBool::new(false);
    let exchanged = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                exchange(one, other);
                exchanged.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _done = OnDrop(&done);
        let end = Instant::now() + RACE;
        let mut rounds = 0;
        while Instant::now() < end || rounds < 5 {
            work();
            rounds += 1;
        }
    });
    assert!(exchanged.load(Ordering::Relaxed) > 100, "there was no race");
}

/// Creates a container, which may be refused, and deletes it, which may not.
fn create_and_delete(sandbox: &Sandbox<'_>, bundle: &Bundle) {
    let id = sandbox.id();
    let created = sandbox.try_create(&id, bundle);
    if !created.status.success() {
        created.refused();
    }
    sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
}

fn files_are_not_copied_out_of_a_root_that_changes(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let file = sandbox.path().join("file");
    fs::write(&file, "text").unwrap();
    let bundle = (0..10).fold(sandbox.bundle(), |bundle, number| {
        bundle.nullfs(&file, &format!("/changing/made{number}"), "ro")
    });
    let bundle = bundle.nullfs(&file, "/changing/kept", "ro");
    let [directory, link] = ["changing", "other"].map(|name| bundle.rootfs().join(name));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("kept"), "of the image").unwrap();
    symlink(&victim.path, &link).unwrap();
    race(&directory, &link, || {
        create_and_delete(sandbox, &bundle);
        victim.assert_untouched(sandbox);
    });
}

fn devices_are_not_made_outside_of_a_root_that_changes(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/dev", "type": "devfs" }))
        .mount(json!({ "destination": "/dev/fd", "type": "fdescfs" }))
        .mount(json!({ "destination": "/dev/shm", "type": "tmpfs" }));
    let [directory, link] = ["dev", "other"].map(|name| bundle.rootfs().join(name));
    fs::create_dir(&directory).unwrap();
    symlink(&victim.path, &link).unwrap();
    race(&directory, &link, || {
        create_and_delete(sandbox, &bundle);
        victim.assert_untouched(sandbox);
    });
}

/// One container, two directories in its root, of which the second is a link to the host's; what
/// `exec` in it prints while they are exchanged.
fn executed_while_changing(
    sandbox: &Sandbox<'_>,
    victim: &Victim,
    bundle: &Bundle,
    name: &str,
    line: &str,
) -> BTreeSet<String> {
    let [directory, link] = [name, "other"].map(|name| bundle.rootfs().join(name));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("passwd"), "root:*:0:0::/inside:/bin/sh\n").unwrap();
    symlink(&victim.path, &link).unwrap();
    let container = sandbox.start(bundle);
    let mut seen = BTreeSet::new();
    race(&directory, &link, || {
        let exec = container.exec(["--cwd", "/"], ["sh", "-c", line]).run();
        if exec.status.success() {
            seen.insert(exec.succeeded().trim().to_owned());
        } else {
            exec.refused();
        }
        create_and_delete(sandbox, bundle);
    });
    victim.assert_untouched(sandbox);
    // There is something to be seen.
    if directory.is_symlink() {
        exchange(&directory, &link);
    }
    let exec = container.exec(["--cwd", "/"], ["sh", "-c", line]).run();
    seen.insert(exec.succeeded().trim().to_owned());
    seen
}

fn no_home_is_read_outside_of_a_root_that_changes(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let bundle = sandbox.bundle();
    let homes = executed_while_changing(sandbox, &victim, &bundle, "etc", "echo $HOME");
    assert!(homes.contains("/inside"), "never inside: {homes:?}");
    assert!(homes.iter().all(|home| ["/inside", "/"].contains(&&**home)), "{homes:?}");
}

fn no_directory_is_entered_outside_of_a_root_that_changes(sandbox: &Sandbox<'_>) {
    let victim = Victim::new(sandbox);
    let bundle = sandbox.bundle();
    let [directory, link] = ["changing", "other"].map(|name| bundle.rootfs().join(name));
    fs::create_dir(&directory).unwrap();
    symlink(&victim.path, &link).unwrap();
    let container = sandbox.start(&bundle);
    race(&directory, &link, || {
        let exec = container.exec(["--cwd", "/changing"], ["sh", "-c", "echo .*; echo *"]).run();
        if exec.status.success() {
            let names = exec.succeeded();
            assert!(!names.contains("kept") && !names.contains("passwd"), "{names}");
        } else {
            exec.refused();
        }
    });
    victim.assert_untouched(sandbox);
}

fn nothing_of_the_caller_s_environment_is_inside(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().probe(["report"]);
    let expected = json!(["PATH=/sbin:/bin:/usr/sbin:/usr/bin", "HOME=/"]);
    let secret = |call: runj_tests::Invocation| call.env("SECRET", "s3cret").env("HOME", "/root");
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    assert_eq!(secret(run).run().json()["env"], expected);

    let id = sandbox.id();
    let waiting = sandbox.bundle();
    let create = sandbox.runj(["create", &id, "--bundle"]).args([waiting.dir()]);
    secret(create).run().succeeded_silently();
    secret(sandbox.runj(["start", &id])).run().succeeded();
    let report = Bundle::probe_command(["report"]);
    let exec = secret(sandbox.runj(["exec", &id])).args(report).run().json();
    assert_eq!(exec["env"], expected);
    assert_eq!(exec["descriptors"], json!([0, 1, 2]));
    assert_eq!(exec["directories"], json!([]));
}

/// Where others can write, what has the pid file's name may be any file, by one more name.
fn a_pid_file_is_not_written_over_another_file(sandbox: &Sandbox<'_>) {
    let victim = sandbox.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    let [link, name] = ["link", "name"].map(|name| sandbox.path().join(name));
    symlink(&victim, &link).unwrap();
    fs::hard_link(&victim, &name).unwrap();
    let bundle = sandbox.bundle();
    let container = sandbox.start(&bundle);
    for path in [&link, &name] {
        let file = path.to_str().unwrap();
        let create = sandbox.runj(["create", &sandbox.id(), "--pid-file", file, "--bundle"]);
        let message = create.args([sandbox.bundle().dir()]).run().refused();
        assert!(message.starts_with(&format!("--pid-file: {path:?}")), "{message}");
        let message = container.exec(["--detach", "--pid-file", file], ["true"]).run().refused();
        assert!(message.starts_with(&format!("--pid-file: {path:?}")), "{message}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}

/// Programs that another runtime might call, in every directory where it might look.
const FAKED: [&str; 16] = [
    "kill", "ps", "sh", "mount", "umount", "jail", "jexec", "jls", "ifconfig", "ip", "cat", "rctl",
    "id", "true", "pkill", "devfs",
];

fn programs_of_the_image_are_not_run(sandbox: &Sandbox<'_>) {
    let fakes = sandbox.path().join("fakes");
    fs::create_dir(&fakes).unwrap();
    for name in FAKED {
        let path = fakes.join(name);
        fs::write(&path, "#!/opt/probe/runj-probe note\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let over = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
    let bundle = over.into_iter().fold(sandbox.bundle(), |bundle, directory| {
        // A link has been covered with what it leads to.
        match fs::symlink_metadata(bundle.rootfs().join(&directory[1..])) {
            Ok(metadata) if metadata.is_symlink() => bundle,
            _ => bundle.nullfs(&fakes, directory, "ro"),
        }
    });
    let ran = || bundle.rootfs().join("ran").exists();
    let container = sandbox.create(&bundle);
    let probe = Bundle::probe_command(["report"]);
    container.exec([], &probe).run().json();
    container.start();
    container.verb("ps").succeeded();
    sandbox.runj(["events", "--stats", container.id()]).run().json();
    container.verb("pause").succeeded_silently();
    container.verb("resume").succeeded_silently();
    sandbox.runj(["list"]).run().succeeded();
    assert!(!ran(), "{:?}", fs::read_to_string(bundle.rootfs().join("ran")));
    // They would have been noticed.
    container.exec([], ["kill", "me"]).run().succeeded_silently();
    assert_eq!(fs::read_to_string(bundle.rootfs().join("ran")).unwrap(), "kill me\n");
    fs::remove_file(bundle.rootfs().join("ran")).unwrap();

    sandbox.runj(["kill", "--all", container.id(), "KILL"]).run().succeeded_silently();
    container.wait_stopped();
    container.delete();
    let container = sandbox.start(&bundle);
    container.delete_by_force();
    assert!(!ran(), "{:?}", fs::read_to_string(bundle.rootfs().join("ran")));
}

/// A container whose processes make others on and on is ended, and no process is left.
fn is_killed_whole(sandbox: &Sandbox<'_>, bundle: &Bundle, at_least: usize) {
    let before = sandbox.host();
    for _ in 0..3 {
        // Each of them has the one end of it, and there is nobody else.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let id = sandbox.id();
        let create = sandbox.runj(["create", "--preserve-fds", "1", &id, "--bundle"]);
        let create = create.args([bundle.dir()]).descriptors(vec![writer.into()]);
        create.run().succeeded_silently();
        sandbox.runj(["start", &id]).run().succeeded_silently();
        let jail = Jail::find(&id.parse().unwrap()).unwrap().unwrap();
        eventually("its processes", || (jail.processes().unwrap().len() >= at_least).then_some(()));
        sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
        let flags = OFlag::O_NONBLOCK;
        nix::fcntl::fcntl(&reader, FcntlArg::F_SETFL(flags)).unwrap();
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "a process is left");
        assert_eq!(Jail::by_jid(jail.jid()).unwrap(), None);
        sandbox.host().assert_unchanged_since(&before);
    }
}

fn one_that_forks_without_end_is_killed_whole(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("linux.resources.pids.limit", 100).probe(["fork-all"]);
    is_killed_whole(sandbox, &bundle, 50);
}

/// Each process makes the next one and ends: there are never many, and never the same for long.
fn one_that_passes_itself_on_is_killed_whole(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().probe(["fork-on", "20"]);
    is_killed_whole(sandbox, &bundle, 10);
}
