//! `runj` as conmon, podman and buildah call it: their order of arguments, pid files, terminals,
//! who collects the container's process, what they read. And configurations as they and ctr
//! generate them for FreeBSD, which have to do unchanged.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use runj_jail::{Jail, Kind, Params, Value as JailValue};
use runj_tests::{Bundle, ConsoleSocket, Monitored, Sandbox, eventually};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    conmon_creates_and_learns_of_the_end,
    conmon_asks_for_a_terminal,
    conmon_executes,
    conmon_executes_with_a_terminal,
    conmon_passes_descriptors_on,
    conmon_is_told_why_not,
    buildah_runs_a_line,
    buildah_stops_a_line,
    podman_stops_by_number,
    delete_by_force_of_what_never_was,
    flags_stand_anywhere,
    the_version_is_in_runc_s_shape: Nothing,
    a_configuration_of_podman_s_with_the_host_s_network,
    a_configuration_of_podman_s_without_a_network,
    a_configuration_of_podman_s_with_a_network_of_its_own,
    a_configuration_of_podman_s_before_freebsd_13_3,
    two_containers_of_a_pod,
    a_configuration_of_buildah_s,
    a_configuration_of_ctr_s,
    a_configuration_of_podman_s_on_linux,
];

/// An id as podman gives them, which no other test has.
fn podman_id(sandbox: &Sandbox<'_>) -> String {
    let unique: String = sandbox.id().bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{unique:f<64}")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A process that conmon looks after, with a pid file in the sandbox.
fn monitored(sandbox: &Sandbox<'_>) -> Monitored {
    Monitored::new(sandbox.path().join(format!("{}.pid", sandbox.id())))
}

/// conmon's create, with what podman tells it to give to any verb and to this one.
fn create<'a>(
    bundle: &'a Bundle,
    container: &'a Monitored,
    global: &[&'a str],
    options: &[&'a str],
    id: &'a str,
) -> Vec<&'a str> {
    let mut line = global.to_vec();
    line.extend(["create", "--bundle", text(bundle.dir()), "--pid-file", container.pid_file()]);
    line.extend(options);
    line.push(id);
    line
}

/// conmon's exec.
fn exec<'a>(
    process: &'a Path,
    monitored: &'a Monitored,
    options: &[&'a str],
    id: &'a str,
) -> Vec<&'a str> {
    let mut line = vec!["exec", "--pid-file", monitored.pid_file()];
    line.extend(["--process", text(process), "--detach"]);
    line.extend(options);
    line.push(id);
    line
}

/// Writes a process for exec, as podman does.
fn process(sandbox: &Sandbox<'_>, args: &[String], terminal: bool) -> PathBuf {
    let file = sandbox.path().join(format!("exec-process-{}", sandbox.id()));
    let process = json!({
        "terminal": terminal,
        "user": { "uid": 0, "gid": 0, "additionalGids": [0] },
        "args": args,
        "env": ["PATH=/sbin:/bin:/usr/sbin:/usr/bin", "TERM=xterm", "container=podman"],
        "cwd": "/",
    });
    fs::write(&file, process.to_string()).unwrap();
    file
}

fn shell(line: &str) -> Vec<String> {
    ["sh", "-c", line].map(str::to_owned).to_vec()
}

fn conmon_creates_and_learns_of_the_end(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("exit 7");
    let log = sandbox.path().join("oci-log");
    let global = ["--systemd-cgroup", "--log-format=json", "--log", text(&log)];
    let without = ["--log-format=json", "--log", text(&log), "--cgroup-manager", "disabled"];
    for global in [&[][..], &global, &without] {
        let (id, container) = (podman_id(sandbox), monitored(sandbox));
        let options = ["--no-pivot", "--no-new-keyring"];
        let line = create(&bundle, &container, global, &options, &id);
        let conmon = sandbox.monitored(line).spawn();
        let pid = container.pid();
        let state = sandbox.runj(["state", &id]).run().json();
        assert_eq!((&state["status"], &state["pid"]), (&json!("created"), &json!(pid)));
        sandbox.runj(["start", &id]).run().succeeded_silently();
        assert_eq!(container.end(), json!({ "status": 7 }));
        conmon.wait().succeeded_silently();
        sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
    }
    assert_eq!(fs::read_to_string(log).unwrap(), "");
}

fn conmon_asks_for_a_terminal(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("process.terminal", true)
        .mount(json!({ "destination": "/dev", "type": "devfs", "source": "devfs" }))
        .shell("tty; read line; echo \"<$line>\"; exit 3");
    let (id, container) = (podman_id(sandbox), monitored(sandbox));
    let socket = ConsoleSocket::listen(sandbox.path().join("console.sock"));
    let options = ["--no-new-keyring", "--console-socket", text(socket.path())];
    let conmon = sandbox.monitored(create(&bundle, &container, &[], &options, &id)).spawn();
    let mut terminal = socket.receive();
    let _ = container.pid();
    sandbox.runj(["start", &id]).run().succeeded_silently();
    terminal.expect("/dev/pts/");
    terminal.write("typed\n");
    terminal.expect("<typed>\r\n");
    assert_eq!(container.end(), json!({ "status": 3 }));
    conmon.wait().succeeded_silently();
    sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
}

fn conmon_executes(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    for (line, end) in
        [("exit 5", json!({ "status": 5 })), ("kill -KILL $$", json!({ "signal": 9 }))]
    {
        let session = monitored(sandbox);
        let process = process(sandbox, &shell(line), false);
        let conmon = sandbox.monitored(exec(&process, &session, &[], container.id())).run();
        conmon.succeeded_silently();
        assert_eq!(session.end(), end, "{line}");
    }
    let session = monitored(sandbox);
    let process = process(sandbox, &shell("echo out; echo err >&2"), false);
    let outcome = sandbox.monitored(exec(&process, &session, &[], container.id())).run();
    assert_eq!((outcome.stdout().as_str(), outcome.stderr().as_str()), ("out\n", "err\n"));
}

fn conmon_executes_with_a_terminal(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let socket = ConsoleSocket::listen(sandbox.path().join("console.sock"));
    let session = monitored(sandbox);
    let process = process(sandbox, &shell("test -t 0 && echo terminal; exit 4"), true);
    let options = ["--console-socket", text(socket.path())];
    let conmon = sandbox.monitored(exec(&process, &session, &options, container.id())).spawn();
    // Hanging up would end the process.
    let mut terminal = socket.receive();
    terminal.expect("terminal\r\n");
    assert_eq!(session.end(), json!({ "status": 4 }));
    conmon.wait().succeeded_silently();
}

fn conmon_passes_descriptors_on(sandbox: &Sandbox<'_>) {
    let file = || -> OwnedFd {
        let path = sandbox.path().join(format!("passed-{}", sandbox.id()));
        fs::write(&path, "passed on\n").unwrap();
        fs::File::open(path).unwrap().into()
    };
    let options = ["--preserve-fds", "1"];
    let bundle = sandbox.bundle().shell("cat <&3; exec sleep 1000");
    let (id, container) = (podman_id(sandbox), monitored(sandbox));
    let line = create(&bundle, &container, &[], &options, &id);
    let conmon = sandbox.monitored(line).descriptors(vec![file()]).spawn();
    let _ = container.pid();
    sandbox.runj(["start", &id]).run().succeeded_silently();
    eventually("the file", || (conmon.stdout() == "passed on\n").then_some(()));

    let session = monitored(sandbox);
    let process = process(sandbox, &shell("cat <&3"), false);
    let line = exec(&process, &session, &options, &id);
    let outcome = sandbox.monitored(line).descriptors(vec![file()]).run();
    assert_eq!(outcome.succeeded(), "passed on\n");
    sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
    assert_eq!(container.end(), json!({ "signal": 9 }));
    conmon.wait();
}

/// What podman makes of an error's text: the exit status of `podman run` and `podman exec`.
fn classified(message: &str) -> i32 {
    let message = message.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if has(&["permission denied", "operation not permitted"]) {
        126
    } else if has(&["executable file not found in", "no such file or directory"]) {
        127
    } else {
        125
    }
}

fn conmon_is_told_why_not(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    fs::write(bundle.rootfs().join("plain"), "not a program").unwrap();
    let running = sandbox.start(&bundle);
    for (program, status) in [("no-such-program", 127), ("/no/such/program", 127), ("/plain", 126)]
    {
        let log = sandbox.path().join(format!("oci-log-{}", sandbox.id()));
        let other = sandbox.bundle().args([program]);
        fs::write(other.rootfs().join("plain"), "not a program").unwrap();
        let (id, container) = (podman_id(sandbox), monitored(sandbox));
        let global = ["--log-format=json", "--log", text(&log)];
        let line = create(&other, &container, &global, &[], &id);
        let message = sandbox.monitored(line).run().refused();
        assert_eq!(classified(&message), status, "{message}");
        // podman reads the whole file as one object.
        let logged: Value = serde_json::from_str(&fs::read_to_string(&log).unwrap()).unwrap();
        assert_eq!((&logged["msg"], &logged["level"]), (&json!(message), &json!("error")));
        // As podman does after any failure.
        sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();

        let session = monitored(sandbox);
        let process = process(sandbox, &[program.to_owned()], false);
        let line = exec(&process, &session, &[], running.id());
        let message = sandbox.monitored(line).run().refused();
        assert_eq!(classified(&message), status, "{message}");
    }
}

/// Asks for the state every 100 ms, as buildah does, until the container has stopped.
fn poll(sandbox: &Sandbox<'_>, bundle: &Bundle, id: &str) {
    eventually("the container to stop", || {
        let state = sandbox.runj(["state", id]).current_dir(bundle.dir()).run().json();
        let status = state["status"].as_str().unwrap().to_owned();
        assert!(["creating", "created", "running", "stopped"].contains(&status.as_str()));
        if status != "stopped" {
            thread::sleep(Duration::from_millis(100));
        }
        (status == "stopped").then_some(())
    });
}

/// buildah's create, in the bundle's directory and with everything of the container's in it.
fn buildah_creates(sandbox: &Sandbox<'_>, bundle: &Bundle, name: &str) -> Monitored {
    let container = Monitored::new(bundle.dir().join("pid"));
    let line = create(bundle, &container, &[], &["--no-pivot"], name);
    // It goes on; the sandbox ends it if nobody else does.
    let _ = sandbox.monitored(line).current_dir(bundle.dir()).spawn();
    let _ = container.pid();
    sandbox.runj(["start", name]).current_dir(bundle.dir()).run().succeeded_silently();
    container
}

fn buildah_runs_a_line(sandbox: &Sandbox<'_>) {
    let name = format!("buildah-buildah{}", sandbox.id());
    let bundle = sandbox.bundle().shell("sleep 0.3; exit 6");
    let container = buildah_creates(sandbox, &bundle, &name);
    poll(sandbox, &bundle, &name);
    assert_eq!(container.end(), json!({ "status": 6 }));
    sandbox.runj(["delete", &name]).current_dir(bundle.dir()).run().succeeded_silently();
}

fn buildah_stops_a_line(sandbox: &Sandbox<'_>) {
    for (signal, end) in [(&[][..], 15), (&["SIGKILL"], 9)] {
        let name = format!("buildah-buildah{}", sandbox.id());
        let bundle = sandbox.bundle().args(["sleep", "1000"]);
        let container = buildah_creates(sandbox, &bundle, &name);
        sandbox.runj(["kill", &name]).args(signal).run().succeeded_silently();
        assert_eq!(container.end(), json!({ "signal": end }));
        poll(sandbox, &bundle, &name);
        sandbox.runj(["delete", &name]).run().succeeded_silently();
    }
}

fn podman_stops_by_number(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["sleep", "1000"]);
    let kill = |id: &str, kill: &[&str]| {
        let container = monitored(sandbox);
        let _ = sandbox.monitored(create(&bundle, &container, &[], &[], id)).spawn();
        let _ = container.pid();
        sandbox.runj(["start", id]).run().succeeded_silently();
        sandbox.runj(kill).run().succeeded_silently();
        assert_eq!(container.end(), json!({ "signal": 9 }));
        // It asks whether the process is there if a signal cannot be sent.
        let message = sandbox.runj(["kill", id, "9"]).run().refused();
        assert!(message.contains("container not running"), "{message}");
        sandbox.runj(["delete", "--force", id]).run().succeeded_silently();
    };
    let id = podman_id(sandbox);
    kill(&id, &["kill", &id, "9"]);
    let id = podman_id(sandbox);
    kill(&id, &["kill", "--all", &id, "9"]);
}

fn delete_by_force_of_what_never_was(sandbox: &Sandbox<'_>) {
    let id = podman_id(sandbox);
    sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
    let message = sandbox.runj(["delete", &id]).run().refused();
    assert_eq!(message, format!("container does not exist: {id}"));
}

fn flags_stand_anywhere(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["sleep", "1000"]);
    let (dir, state) = (text(bundle.dir()), sandbox.state_dir());
    let ignored = ["--systemd-cgroup", "--rootless", "--rootless=auto", "--debug"];
    for (index, flag) in ignored.into_iter().enumerate() {
        let (id, log) = (podman_id(sandbox), sandbox.path().join(format!("log{index}")));
        let everywhere = ["--root", text(&state), flag, "--log", text(&log)];
        let runj = |line: &[&str]| sandbox.runj_without_root().args(line).run();
        let with = |verb: &str, rest: &[&str], place: usize| {
            let mut line = vec![verb];
            line.extend(rest);
            line.splice(place..place, everywhere);
            runj(&line).succeeded_silently();
        };
        let create = ["--bundle", dir, "--no-pivot", &id, "--no-new-keyring"];
        with("create", &create, [0, 1, 3, 6][index]);
        with("start", &[&id], [1, 2, 0, 1][index]);
        with("kill", &[&id, "--all", "KILL"], [4, 0, 2, 1][index]);
        eventually("the end", || {
            (sandbox.runj(["state", &id]).run().json()["status"] == "stopped").then_some(())
        });
        with("delete", &[&id, "--force"], [3, 2, 1, 0][index]);
    }
    for manager in ["disabled", "cgroupfs", "systemd"] {
        sandbox.runj(["--cgroup-manager", manager, "list", "--quiet"]).run().succeeded_silently();
    }
    let message = sandbox.runj(["--cgroup-manager", "none", "list"]).run().refused();
    assert!(message.contains("--cgroup-manager"), "{message}");
    let message = sandbox.runj(["--rootless=maybe", "list"]).run().refused();
    assert!(message.contains("--rootless"), "{message}");
}

fn the_version_is_in_runc_s_shape(sandbox: &Sandbox<'_>) {
    let version = sandbox.runj(["--version"]).run().succeeded();
    let lines: Vec<_> = version.lines().collect();
    let [name, spec] = lines[..] else { panic!("{version}") };
    assert_eq!(name, format!("runj version {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(spec, "spec: 1.3.0");
}

/// What the generator that podman and buildah share gives every container of FreeBSD.
fn generated(bundle: Bundle) -> Bundle {
    let limit = json!({ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 });
    bundle
        .set("ociVersion", "1.2.1")
        .set("process.user", json!({ "uid": 0, "gid": 0, "additionalGids": [0] }))
        .set("process.rlimits", json!([limit]))
        .mount(json!({
            "destination": "/dev",
            "type": "devfs",
            "source": "devfs",
            "options": ["ruleset=4"]
        }))
        .mount(json!({
            "destination": "/dev/fd",
            "type": "fdescfs",
            "source": "fdesc",
            "options": []
        }))
}

/// The host name of a container on the host's network.
const HOST: &str = "host.example.org";

/// The configuration that podman on FreeBSD makes for a container of that id and host name, with
/// annotations beside those that it always sets.
fn podman(sandbox: &Sandbox<'_>, id: &str, hostname: &str, more: &[(&str, &str)]) -> Bundle {
    let volume = sandbox.path().join(format!("volume-{}", sandbox.id()));
    fs::create_dir(&volume).unwrap();
    fs::write(volume.join("file"), "kept").unwrap();
    let mut annotations = json!({
        "io.container.manager": "libpod",
        "io.podman.annotations.autoremove": "FALSE",
        "io.podman.annotations.privileged": "FALSE",
        "org.opencontainers.image.stopSignal": "15",
        "org.systemd.property.KillSignal": "15",
        "org.systemd.property.TimeoutStopUSec": "uint64 10000000",
    });
    for (key, value) in more {
        annotations[*key] = (*value).into();
    }
    generated(sandbox.bundle_in(sandbox.path().join(id).join("userdata")))
        .set("annotations", annotations)
        .set("hostname", hostname)
        .set("process.user.umask", 0o22)
        .mount(json!({
            "destination": "/volume",
            "type": "nullfs",
            "source": volume,
            "options": ["rbind", "rprivate", "ro", "nosuid", "nodev"]
        }))
        .mount(json!({
            "destination": "/scratch",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["notmpcopyup", "rw", "nosuid", "nodev", "size=1m"]
        }))
}

/// Creates a container as conmon does and starts it.
#[track_caller]
fn started(sandbox: &Sandbox<'_>, bundle: &Bundle, id: &str) {
    let line = ["create", "--bundle", text(bundle.dir()), "--no-new-keyring", id];
    sandbox.runj(line).run().succeeded_silently();
    sandbox.runj(["start", id]).run().succeeded_silently();
}

/// What the probe in a container says.
#[track_caller]
fn asked<const N: usize>(sandbox: &Sandbox<'_>, id: &str, question: [&str; N]) -> Value {
    sandbox.runj(["exec", id]).args(Bundle::probe_command(question)).run().json()
}

#[track_caller]
fn deleted(sandbox: &Sandbox<'_>, id: &str) {
    sandbox.runj(["delete", "--force", id]).run().succeeded_silently();
}

fn jail(name: &str) -> Jail {
    Jail::find(&name.parse().unwrap()).unwrap().unwrap_or_else(|| panic!("no jail {name}"))
}

/// What a jail has of the families of addresses.
fn families(jail: Jail) -> Vec<JailValue> {
    jail.get(&[("ip4", Kind::Jailsys), ("ip6", Kind::Jailsys)]).unwrap()
}

fn a_configuration_of_podman_s_with_the_host_s_network(sandbox: &Sandbox<'_>) {
    let id = podman_id(sandbox);
    let bundle = podman(sandbox, &id, HOST, &[]);
    started(sandbox, &bundle, &id);
    // By this name podman finds the processes and the use of resources.
    jail(&id);
    assert_eq!(asked(sandbox, &id, ["socket", "inet"]), json!({ "socket": true }));
    assert_eq!(asked(sandbox, &id, ["socket", "raw"]), json!({ "socket": true }));
    let report = asked(sandbox, &id, ["report"]);
    assert_eq!(report["hostname"], HOST);
    let list = ["exec", &id, "sh", "-c", "cat /volume/file; ! touch /volume/x 2>/dev/null"];
    assert_eq!(sandbox.runj(list).run().succeeded(), "kept");
    sandbox.runj(["exec", &id, "touch", "/scratch/x"]).run().succeeded_silently();
    deleted(sandbox, &id);

    // Whoever says otherwise is heard.
    let id = podman_id(sandbox);
    let disabled = ("org.freebsd.jail.ip4", "disable");
    started(sandbox, &podman(sandbox, &id, HOST, &[disabled]), &id);
    let refused = json!({ "errno": "EPROTONOSUPPORT" });
    assert_eq!(asked(sandbox, &id, ["socket", "inet"]), refused);
    deleted(sandbox, &id);
}

fn a_configuration_of_podman_s_without_a_network(sandbox: &Sandbox<'_>) {
    let id = podman_id(sandbox);
    started(sandbox, &podman(sandbox, &id, &id[..12], &[]), &id);
    let refused = json!({ "errno": "EPROTONOSUPPORT" });
    assert_eq!(asked(sandbox, &id, ["socket", "inet"]), refused);
    assert_eq!(asked(sandbox, &id, ["socket", "inet6"]), refused);
    deleted(sandbox, &id);
}

fn a_configuration_of_podman_s_with_a_network_of_its_own(sandbox: &Sandbox<'_>) {
    let id = podman_id(sandbox);
    let bundle = podman(sandbox, &id, &id[..12], &[("org.freebsd.jail.vnet", "new")]);
    // podman sets the network up between create and start, and addresses the jail by the id.
    let line = ["create", "--bundle", text(bundle.dir()), &id];
    sandbox.runj(line).run().succeeded_silently();
    let vnet = jail(&id).get(&[("vnet", Kind::Jailsys)]).unwrap();
    assert_eq!(vnet, [JailValue::Jailsys(runj_jail::Jailsys::New)]);
    sandbox.runj(["start", &id]).run().succeeded_silently();
    let interfaces = asked(sandbox, &id, ["interfaces"]);
    // None of the host's.
    let used = |(_, interface): (&String, &Value)| interface["up"] == true;
    assert!(!interfaces.as_object().unwrap().iter().any(used), "{interfaces}");
    deleted(sandbox, &id);
}

/// The jail that podman and buildah make for a network before FreeBSD 13.3.
fn network_jail(name: &str) -> Jail {
    let mut params = Params::new()
        .string("name", name)
        .int("children.max", 1)
        .flag("persist", true)
        .int("enforce_statfs", 0)
        .int("devfs_ruleset", 4)
        .flag("allow.raw_sockets", true)
        .flag("allow.chflags", true)
        .int("securelevel", -1);
    params.push("vnet", JailValue::Jailsys(runj_jail::Jailsys::New));
    Jail::create(&params).unwrap()
}

fn a_configuration_of_podman_s_before_freebsd_13_3(sandbox: &Sandbox<'_>) {
    let parent = format!("vnet-{}", sandbox.id());
    let network = network_jail(&parent);
    let id = podman_id(sandbox);
    let bundle = podman(sandbox, &id, &id[..12], &[("org.freebsd.parentJail", &parent)]);
    started(sandbox, &bundle, &id);
    // The network's jail has it and its own IPv4 is not the host's.
    let inherited = JailValue::Jailsys(runj_jail::Jailsys::Inherit);
    assert_eq!(families(jail(&format!("{parent}.{id}"))), [inherited.clone(), inherited]);
    assert_eq!(asked(sandbox, &id, ["socket", "inet"]), json!({ "socket": true }));
    let interfaces = asked(sandbox, &id, ["interfaces"]);
    let used = |(_, interface): (&String, &Value)| interface["up"] == true;
    assert!(!interfaces.as_object().unwrap().iter().any(used), "{interfaces}");
    // podman lets go of the network first: it is to live until the container is gone.
    network.update(&Params::new().flag("persist", false)).unwrap();
    deleted(sandbox, &id);
    eventually("the network's jail to go", || {
        Jail::find(&parent.parse().unwrap()).unwrap().is_none().then_some(())
    });
}

fn two_containers_of_a_pod(sandbox: &Sandbox<'_>) {
    let infra = podman_id(sandbox);
    let vnet = ("org.freebsd.jail.vnet", "new");
    started(sandbox, &podman(sandbox, &infra, "pod", &[vnet]), &infra);
    let members: Vec<_> = (0..2)
        .map(|_| {
            let id = podman_id(sandbox);
            let bundle = podman(sandbox, &id, "pod", &[("org.freebsd.parentJail", &infra)]);
            started(sandbox, &bundle, &id);
            jail(&format!("{infra}.{id}"));
            assert_eq!(asked(sandbox, &id, ["socket", "inet"]), json!({ "socket": true }));
            id
        })
        .collect();
    for id in members {
        deleted(sandbox, &id);
    }
    deleted(sandbox, &infra);
}

fn a_configuration_of_buildah_s(sandbox: &Sandbox<'_>) {
    let number: String = sandbox.id().bytes().map(|byte| byte.to_string()).collect();
    let dir = sandbox.path().join(format!("buildah{number}"));
    let bundle = sandbox.bundle_in(dir.clone());
    let name = format!("buildah-buildah{number}");
    fs::write(dir.join("hosts"), "127.0.0.1 localhost\n").unwrap();
    let bundle = generated(bundle)
        .mount(json!({
            "destination": "/etc/hosts",
            "type": "nullfs",
            "source": dir.join("hosts"),
            "options": []
        }))
        .probe(["socket", "inet"]);
    let line = ["create", "--bundle", text(bundle.dir()), "--no-pivot", &name];
    let created = sandbox.runj(line).current_dir(bundle.dir()).run();
    created.succeeded_silently();
    sandbox.runj(["start", &name]).run().succeeded_silently();
    poll(sandbox, &bundle, &name);
    let said: Value = serde_json::from_str(&created.stdout()).unwrap();
    assert_eq!(said, json!({ "socket": true }));
    sandbox.runj(["delete", &name]).run().succeeded_silently();
    assert!(!bundle.rootfs().join("etc/hosts").exists());
}

fn a_configuration_of_ctr_s(sandbox: &Sandbox<'_>) {
    let capabilities = json!(["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"]);
    let sets = ["bounding", "effective", "permitted"];
    let capabilities: Value =
        sets.into_iter().map(|set| (set.to_owned(), capabilities.clone())).collect();
    let bundle = generated(sandbox.bundle())
        .set("process.capabilities", capabilities)
        .set("process.noNewPrivileges", true)
        .set(
            "linux",
            json!({
                "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
                "cgroupsPath": "/default/web",
                "namespaces": [{ "type": "pid" }, { "type": "network" }],
                "maskedPaths": ["/proc/kcore"],
                "readonlyPaths": ["/proc/sys"],
            }),
        );
    let id = sandbox.id();
    started(sandbox, &bundle, &id);
    // Nothing says that it is to have a network.
    let refused = json!({ "errno": "EPROTONOSUPPORT" });
    assert_eq!(asked(sandbox, &id, ["socket", "inet"]), refused);
    deleted(sandbox, &id);
}

fn a_configuration_of_podman_s_on_linux(sandbox: &Sandbox<'_>) {
    let mount = |destination: &str, typ: &str, options: &[&str]| json!({ "destination": destination, "type": typ, "source": typ, "options": options });
    let bundle = [
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/dev/pts", "devpts", &["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys/fs/cgroup", "cgroup", &["rprivate", "nosuid", "relatime", "ro"]),
    ]
    .into_iter()
    .fold(sandbox.bundle(), Bundle::mount)
    .set("annotations", json!({ "io.container.manager": "libpod" }))
    .set("linux", json!({ "namespaces": [{ "type": "pid" }, { "type": "uts" }] }));
    let id = podman_id(sandbox);
    started(sandbox, &bundle, &id);
    let script = "test -c /dev/null && test -d /proc && test -e /dev/fd/0 && test ! -e /sys";
    sandbox.runj(["exec", &id, "sh", "-c", script]).run().succeeded_silently();
    assert_eq!(asked(sandbox, &id, ["socket", "inet"]), json!({ "socket": true }));
    deleted(sandbox, &id);
}
