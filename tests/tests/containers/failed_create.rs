//! A container that cannot be created leaves the host as it was, whichever step fails.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use nix::ifaddrs::getifaddrs;
use runj_jail::{Jail, Params};
use runj_tests::{Bundle, Sandbox};
use serde_json::json;

use crate::case::cases;
use crate::pair::{Pair, has_interface};

cases![
    a_mount_in_the_middle,
    a_mount_in_a_read_only_root,
    a_mount_whose_source_is_missing,
    a_destination_that_cannot_be_made,
    a_destination_that_is_a_file,
    a_destination_that_is_the_root,
    a_destination_of_another_container_in_the_same_root,
    a_jail_of_the_same_name,
    a_parent_jail_that_is_missing,
    an_interface_that_is_missing,
    an_interface_that_is_missing_behind_one_that_is_there,
    an_interface_for_addresses_that_is_missing,
    a_hook_that_fails,
    a_hook_that_is_missing,
    a_hook_that_fails_when_the_network_is_there,
    a_console_socket_that_is_missing,
    a_console_socket_that_nobody_listens_to,
    a_terminal_for_nobody,
    a_console_socket_without_a_terminal,
    a_pid_file_in_a_missing_directory,
    a_descriptor_that_is_not_open,
    a_descriptor_that_is_a_directory,
    a_state_directory_that_cannot_be_made,
    a_resource_that_there_is_not,
    nobody_but_root,
];

/// Creating fails for the reason given, and the host is as before. So it is with run.
#[track_caller]
fn assert_undone(sandbox: &Sandbox<'_>, bundle: &Bundle, flags: &[&str], reason: &str) {
    let before = sandbox.host();
    let id = sandbox.id();
    let create = sandbox.runj(["create"]).args(flags).args([id.as_ref(), bundle.dir()]);
    let message = create.run().refused();
    assert!(message.contains(reason), "{reason:?} is not in: {message}");
    sandbox.host().assert_unchanged_since(&before);
    sandbox.runj(["state", &id]).run().refused();
}

fn a_mount_in_the_middle(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
        .mount(json!({ "destination": "/made/too", "type": "no-such-fs" }))
        .mount(json!({ "destination": "/never", "type": "tmpfs" }));
    let reason =
        format!("mounts[{}]: cannot mount no-such-fs on \"/made/too\"", bundle.mounts() - 2);
    assert_undone(sandbox, &bundle, &[], &reason);

    let bundle = sandbox
        .bundle()
        .mount(json!({ "destination": "/t", "type": "tmpfs", "options": ["size=nonsense"] }));
    assert_undone(sandbox, &bundle, &[], "options[0]: \"size=nonsense\" is not allowed");
}

fn a_mount_in_a_read_only_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("root", json!({ "readonly": true }))
        .mount(json!({ "destination": "/a", "type": "tmpfs" }))
        .mount(json!({ "destination": "/b", "type": "no-such-fs" }));
    assert_undone(sandbox, &bundle, &[], "cannot mount no-such-fs on \"/b\"");
}

fn a_mount_whose_source_is_missing(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().nullfs("/no/such/source".as_ref(), "/x", "ro");
    let reason =
        format!("mounts[{}].source: \"/no/such/source\" is not allowed", bundle.mounts() - 1);
    assert_undone(sandbox, &bundle, &[], &reason);
}

fn a_destination_that_cannot_be_made(sandbox: &Sandbox<'_>) {
    let source = sandbox.path().join("source");
    fs::create_dir(&source).unwrap();
    let bundle = sandbox
        .bundle()
        .nullfs(&source, "/read-only", "ro")
        .mount(json!({ "destination": "/read-only/new", "type": "tmpfs" }));
    let reason = format!("mounts[{}].destination: \"/read-only/new\"", bundle.mounts() - 1);
    assert_undone(sandbox, &bundle, &[], &reason);
}

fn a_destination_that_is_a_file(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    fs::write(bundle.rootfs().join("file"), "content").unwrap();
    symlink("file", bundle.rootfs().join("link")).unwrap();
    for destination in ["/file", "/link", "/file/below"] {
        let mounted =
            sandbox.bundle().mount(json!({ "destination": destination, "type": "tmpfs" }));
        let mounted = mounted.set("root.path", bundle.rootfs().to_str().unwrap());
        assert_undone(sandbox, &mounted, &[], &format!("destination: {destination:?}"));
    }
}

fn a_destination_that_is_the_root(sandbox: &Sandbox<'_>) {
    let shared = sandbox.bundle();
    symlink("..", shared.rootfs().join("link")).unwrap();
    for destination in ["/", "/..", "/opt/..", "/link", "/link/link/link"] {
        let bundle = sandbox
            .bundle()
            .set("root.path", shared.rootfs().to_str().unwrap())
            .mount(json!({ "destination": destination, "type": "tmpfs" }));
        assert_undone(sandbox, &bundle, &[], &format!("destination: {destination:?}"));
    }
}

fn a_destination_of_another_container_in_the_same_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let first = sandbox.start(&bundle);
    let reason = format!("container {}, which has the same root, mounts there", first.id());
    assert_undone(sandbox, &bundle, &[], &reason);
    first.exec([], ["true"]).run().succeeded_silently();
    // Once it is gone, the root is free.
    first.delete_by_force();
    sandbox.start(&bundle);
}

/// A jail that is not runj's.
struct Foreign(Jail);

impl Foreign {
    fn new(sandbox: &Sandbox<'_>, name: &str) -> Self {
        let path = sandbox.path().join("foreign");
        fs::create_dir_all(&path).unwrap();
        let params = Params::new().string("name", name).flag("persist", true);
        Self(Jail::create(&params.string("path", path.to_str().unwrap())).unwrap())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.0.remove().unwrap();
    }
}

fn a_jail_of_the_same_name(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let id = sandbox.id();
    let foreign = Foreign::new(sandbox, &id);
    let before = sandbox.host();
    let message = sandbox.try_create(&id, &bundle).refused();
    assert!(message.contains(&format!("{id:?}")), "{message}");
    assert!(message.contains("there is a jail of that name already"), "{message}");
    sandbox.host().assert_unchanged_since(&before);
    // Nor does deleting what never came to be touch it.
    sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
    sandbox.host().assert_unchanged_since(&before);
    drop(foreign);
}

fn a_parent_jail_that_is_missing(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("freebsd.jail.parent", "no-such-jail");
    assert_undone(sandbox, &bundle, &[], "no-such-jail");
}

fn an_interface_that_is_missing(sandbox: &Sandbox<'_>) {
    let network = json!({ "vnet": { "mode": "new", "interfaces": ["nowhere0"] } });
    let bundle = sandbox.bundle().extension(json!({ "network": network }));
    let reason = "runj.ext.json: network.vnet.interfaces[0]: \"nowhere0\" is not allowed";
    assert_undone(sandbox, &bundle, &[], reason);
}

fn an_interface_that_is_missing_behind_one_that_is_there(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let interfaces = json!([pair.b.as_ref(), "nowhere0"]);
    let network = json!({ "vnet": { "mode": "new", "interfaces": interfaces } });
    let bundle = sandbox.bundle().extension(json!({ "network": network }));
    assert_undone(sandbox, &bundle, &[], "network.vnet.interfaces[1]: \"nowhere0\"");
    assert!(has_interface(&pair.b));
}

fn an_interface_for_addresses_that_is_missing(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("freebsd.jail", json!({ "interface": "nowhere0", "ip4Addr": ["198.19.3.1"] }));
    let reason = "config.json: freebsd.jail.interface: \"nowhere0\" is not allowed";
    assert_undone(sandbox, &bundle, &[], reason);
}

fn a_hook_that_fails(sandbox: &Sandbox<'_>) {
    for kind in ["prestart", "createRuntime", "createContainer"] {
        let bundle = sandbox.bundle();
        let hook = bundle.script("hook", "echo it hurts >&2; exit 3");
        let hooks = json!([{ "path": hook }]);
        let bundle = bundle.set(&format!("hooks.{kind}"), hooks);
        let reason = format!("config.json: hooks.{kind}[0]: {hook:?}: exit status: 3: it hurts");
        assert_undone(sandbox, &bundle, &[], &reason);
    }
}

fn a_hook_that_is_missing(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("hooks.createRuntime", json!([{ "path": "/no/such/hook" }]));
    assert_undone(sandbox, &bundle, &[], "hooks.createRuntime[0]: \"/no/such/hook\": ");
}

fn a_hook_that_fails_when_the_network_is_there(sandbox: &Sandbox<'_>) {
    let pair = Pair::new();
    let failing = || {
        let bundle = sandbox.bundle();
        let hook = bundle.script("hook", "exit 1");
        bundle.set("hooks.createRuntime", json!([{ "path": hook }]))
    };
    let network = json!({ "vnet": { "mode": "new", "interfaces": [pair.b.as_ref()] } });
    let bundle = failing().extension(json!({ "network": network }));
    assert_undone(sandbox, &bundle, &[], "hooks.createRuntime[0]");
    assert!(has_interface(&pair.b));

    let network = json!({ "interface": pair.a.as_ref(), "ip4Addr": ["198.19.4.1"] });
    let addresses = || {
        let of_interface = getifaddrs().unwrap().filter(|a| a.interface_name == pair.a.as_ref());
        of_interface.filter_map(|entry| entry.address.map(|address| address.to_string())).count()
    };
    let before = addresses();
    let bundle = failing().set("freebsd.jail", network);
    assert_undone(sandbox, &bundle, &[], "hooks.createRuntime[0]");
    assert_eq!(addresses(), before);
}

fn with_terminal(sandbox: &Sandbox<'_>) -> Bundle {
    sandbox.bundle().set("process.terminal", true)
}

fn a_console_socket_that_is_missing(sandbox: &Sandbox<'_>) {
    let flags = ["--console-socket", "/no/such/socket"];
    let reason = "--console-socket: \"/no/such/socket\": ";
    assert_undone(sandbox, &with_terminal(sandbox), &flags, reason);
}

fn a_console_socket_that_nobody_listens_to(sandbox: &Sandbox<'_>) {
    let path = sandbox.path().join("deaf.sock");
    drop(UnixListener::bind(&path).unwrap());
    let flags = ["--console-socket", path.to_str().unwrap()];
    assert_undone(sandbox, &with_terminal(sandbox), &flags, "--console-socket: ");
}

fn a_terminal_for_nobody(sandbox: &Sandbox<'_>) {
    let reason = "config.json: process.terminal: true is not allowed: without --console-socket";
    assert_undone(sandbox, &with_terminal(sandbox), &[], reason);
}

fn a_console_socket_without_a_terminal(sandbox: &Sandbox<'_>) {
    let flags = ["--console-socket", "/no/such/socket"];
    assert_undone(sandbox, &sandbox.bundle(), &flags, "process.terminal is false");
}

fn a_pid_file_in_a_missing_directory(sandbox: &Sandbox<'_>) {
    let flags = ["--pid-file", "/no/such/directory/pid"];
    let reason = "--pid-file: \"/no/such/directory/pid\": ";
    assert_undone(sandbox, &sandbox.bundle(), &flags, reason);
}

fn a_descriptor_that_is_not_open(sandbox: &Sandbox<'_>) {
    let flags = ["--preserve-fds", "2"];
    assert_undone(
        sandbox,
        &sandbox.bundle(),
        &flags,
        "--preserve-fds: descriptor 3 is not allowed",
    );
}

fn a_descriptor_that_is_a_directory(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    let directory = || fs::File::open("/").unwrap();
    let create = sandbox.runj(["create", "--preserve-fds", "1", &sandbox.id(), "--bundle"]);
    let create = create.args([bundle.dir()]).descriptors(vec![directory().into()]);
    let message = create.run().refused();
    assert!(message.contains("--preserve-fds: descriptor 3 is not allowed"), "{message}");
    let create = sandbox.runj(["create", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    let message = create.stdin(directory()).run().refused();
    assert!(message.contains("stdio: descriptor 0 is not allowed"), "{message}");
    sandbox.host().assert_unchanged_since(&before);
}

fn a_state_directory_that_cannot_be_made(sandbox: &Sandbox<'_>) {
    let file = sandbox.path().join("file");
    fs::write(&file, "").unwrap();
    let bundle = sandbox.bundle();
    let before = sandbox.host();
    let create = sandbox.runj_without_root().args(["--root"]).args([&file]).args(["create"]);
    let message = create.args([sandbox.id().as_ref(), bundle.dir()]).run().refused();
    assert!(message.starts_with("--root: "), "{message}");
    sandbox.host().assert_unchanged_since(&before);
}

fn a_resource_that_there_is_not(sandbox: &Sandbox<'_>) {
    let limit = json!([{ "type": "RLIMIT_BEER", "soft": 1, "hard": 1 }]);
    let bundle = sandbox.bundle().set("process.rlimits", limit);
    let reason = "config.json: process.rlimits[0].type: \"RLIMIT_BEER\" is not allowed: expected";
    assert_undone(sandbox, &bundle, &[], reason);
}

fn nobody_but_root(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let state = sandbox.path().join("of-nobody");
    fs::create_dir(&state).unwrap();
    std::os::unix::fs::chown(&state, Some(65534), Some(65534)).unwrap();
    let before = sandbox.host();
    let create = sandbox.runj_without_root().args(["--root"]).args([&state]).args(["create"]);
    let message = create.args([sandbox.id().as_ref(), bundle.dir()]).uid(65534).run().refused();
    assert_eq!(message, "permission denied: creating a container takes root");
    sandbox.host().assert_unchanged_since(&before);
}
