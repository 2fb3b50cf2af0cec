//! Where a scenario takes place, and what the host has there.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::ifaddrs::getifaddrs;
use runj_jail::Limits;
use runj_tests::{
    Bundle, ConsoleSocket, HostState, Invocation, MARK, Outcome, Sandbox, enforces_limits,
};
use serde_json::{Value, json};

use crate::pair::{Pair, has_interface};

/// A container that is to be, and what it needs.
pub(crate) struct Site<'a> {
    pub(crate) sandbox: &'a Sandbox<'a>,
    pub(crate) id: String,
    pub(crate) bundle: Bundle,
    kind: Kind,
    pair: Pair,
    console: Option<ConsoleSocket>,
}

/// The host as far as a scenario concerns it.
#[derive(Debug)]
pub(crate) struct Host {
    state: HostState,
    /// Its interfaces, their addresses, and the rules for the container's jail.
    more: Vec<String>,
}

/// What a bundle has that is not the same in all scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything that does not exclude one another.
    Rich,
    /// The same with a network of its own, and without a program that comes with a hook.
    Vnet,
    /// The same, whose last hook before the start fails.
    Failing,
    /// One whose hook does not end.
    Lingering,
    /// One that another container has the root of.
    Shared,
    /// One with a terminal.
    Terminal,
    /// One that may mount, and has a place for it: /own.
    Mounting,
}

impl<'a> Site<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox<'a>, kind: Kind) -> Self {
        let pair = Pair::new();
        let bundle = match kind {
            Kind::Rich | Kind::Vnet | Kind::Failing => rich(sandbox, &pair, kind),
            Kind::Lingering => lingering(sandbox, "createRuntime"),
            Kind::Shared => sandbox
                .bundle()
                .set("root.readonly", true)
                .mount(json!({ "destination": "/made/for/this", "type": "tmpfs" })),
            Kind::Terminal => sandbox.bundle().set("process.terminal", true),
            Kind::Mounting => {
                let bundle = sandbox.bundle();
                fs::create_dir(bundle.rootfs().join("own")).unwrap();
                bundle
                    .set("freebsd.jail.allow.mount", json!(["tmpfs"]))
                    .set("freebsd.jail.enforceStatfs", 1)
            }
        };
        // Nothing is said but by `runj`.
        let bundle = bundle.args(["sleep", "1000"]);
        let id = sandbox.id();
        let console = || ConsoleSocket::listen(sandbox.path().join(format!("{id}.console")));
        let console = (kind == Kind::Terminal).then(console);
        Self { sandbox, id, bundle, kind, pair, console }
    }

    /// The id of another container.
    pub(crate) fn other(&self) -> String {
        format!("{}-other", self.id)
    }

    /// A call of `runj` with that verb and these arguments, and the id behind them.
    pub(crate) fn runj(&self, verb: &str, args: &[&str]) -> Invocation {
        self.sandbox.runj([verb]).args(args).args([&self.id])
    }

    pub(crate) fn create(&self) -> Invocation {
        let [bundle, pid_file] = [self.bundle.dir().to_owned(), self.pid_file()];
        let [bundle, pid_file] = [&bundle, &pid_file].map(|path| path.to_str().unwrap());
        let create = self.runj("create", &["--bundle", bundle, "--pid-file", pid_file]);
        let Some(socket) = &self.console else { return create };
        create.args(["--console-socket".as_ref(), socket.path()])
    }

    /// Where `create` and `exec` are to tell a pid. It is the caller's to remove.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.sandbox.path().join(format!("{}.pid", self.id))
    }

    /// Deletes the container, whatever there is of it.
    #[track_caller]
    pub(crate) fn delete(&self) {
        self.runj("delete", &["--force"]).run().succeeded_silently();
        if self.kind == Kind::Shared {
            let delete = self.sandbox.runj(["delete", "--force", &self.other()]);
            delete.run().succeeded_silently();
        }
    }

    /// What `runj` says the container is doing; whatever the state of things, asking works.
    #[track_caller]
    pub(crate) fn status(&self) -> Option<String> {
        self.sandbox.runj(["list", "--format", "json"]).run().json();
        let outcome = self.runj("state", &[]).run();
        if !outcome.status.success() {
            assert_eq!(outcome.refused(), format!("container does not exist: {}", self.id));
            return None;
        }
        let state = outcome.json();
        assert_eq!(state["id"], self.id.as_str());
        Some(state["status"].as_str().unwrap().to_owned())
    }

    /// How many processes `runj` lists in the container.
    #[track_caller]
    pub(crate) fn processes(&self) -> usize {
        let pids = self.runj("ps", &["--format", "json"]).run().json();
        pids.as_array().unwrap().len()
    }

    pub(crate) fn host(&self) -> Host {
        // It stays, and may have been written.
        let _ = fs::remove_file(self.pid_file());
        let mut more = Vec::new();
        for interface in [&self.pair.a, &self.pair.b] {
            if has_interface(interface) {
                more.push(format!("interface {}", interface.as_ref()));
            }
        }
        for entry in getifaddrs().unwrap() {
            let address = entry.address.as_ref().and_then(|address| address.as_sockaddr_in());
            let ours = [&self.pair.a, &self.pair.b]
                .into_iter()
                .any(|interface| interface.as_ref() == entry.interface_name);
            if let Some(address) = address.filter(|_| ours) {
                more.push(format!("address {address} of {}", entry.interface_name));
            }
        }
        let rules = Limits::of(&self.id).unwrap().rules().unwrap();
        more.extend(rules.iter().map(|rule| format!("rule {rule}")));
        more.sort();
        Host { state: self.sandbox.host(), more }
    }
}

impl Host {
    #[track_caller]
    pub(crate) fn assert_unchanged_since(&self, before: &Self) {
        self.state.assert_unchanged_since(&before.state);
        assert_eq!(self.more, before.more);
    }
}

/// It ended with success and said nothing, or was refused as errors are.
#[track_caller]
pub(crate) fn succeeded(outcome: &Outcome) -> bool {
    if outcome.status.success() {
        outcome.succeeded();
        return true;
    }
    outcome.refused();
    false
}

/// A bundle with a hook of that kind that does not end by itself.
pub(crate) fn lingering(sandbox: &Sandbox<'_>, kind: &str) -> Bundle {
    let bundle = sandbox.bundle();
    let hook = bundle.script("hook", "exec sleep 1000");
    bundle.set(&format!("hooks.{kind}"), json!([{ "path": hook, "env": mark(sandbox) }]))
}

/// The environment of a hook that is to be seen if it outlives its container.
fn mark(sandbox: &Sandbox<'_>) -> Value {
    json!([format!("{MARK}={}", sandbox.path().display()), "PATH=/bin:/usr/bin"])
}

fn rich(sandbox: &Sandbox<'_>, pair: &Pair, kind: Kind) -> Bundle {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let bundle = sandbox.bundle();
    let note = bundle.dir().join("note");
    fs::write(&note, "from the host\n").unwrap();
    let filled = bundle.rootfs().join("filled");
    fs::create_dir(&filled).unwrap();
    fs::write(filled.join("file"), "copied up\n").unwrap();
    let hook = bundle.script("hook", "exit 0");
    let failing = bundle.script("failing", "exit 1");
    let env = mark(sandbox);
    let hook = json!({ "path": hook, "env": env });
    let failing = json!({ "path": failing, "env": env });

    let mut bundle = bundle
        .set("root.readonly", true)
        .mount(json!({ "destination": "/made/for/this", "type": "tmpfs" }))
        .mount(json!({
            "destination": "/dev",
            "type": "devfs",
            "options": ["rule=path zero mode 0600"]
        }))
        .mount(json!({ "destination": "/dev/fd", "type": "fdescfs" }))
        .mount(json!({
            "destination": "/filled",
            "type": "tmpfs",
            "options": ["tmpcopyup", "ro"]
        }))
        .nullfs(&note, "/made/note", "ro")
        .set("hooks.prestart", json!([hook]))
        .set("hooks.createRuntime", json!([hook]))
        .set("hooks.createContainer", json!([if kind == Kind::Failing { &failing } else { &hook }]))
        .set("hooks.poststart", json!([hook]))
        .set("hooks.poststop", json!([hook]));
    if enforces_limits() {
        bundle =
            bundle.set("linux.resources.pids.limit", 1000).set("linux.resources.cpu.cpus", "0");
    }
    if kind == Kind::Vnet {
        let vnet = json!({ "mode": "new", "interfaces": [pair.b.as_ref()] });
        return bundle.extension(json!({ "network": { "vnet": vnet } }));
    }
    let start_hook: Value = json!({ "path": "/usr/bin/true" });
    let address = format!("198.19.{}.1", 100 + NEXT.fetch_add(1, Ordering::Relaxed) % 100);
    bundle
        .set("hooks.startContainer", json!([start_hook]))
        .set("freebsd.jail.interface", pair.a.as_ref())
        .set("freebsd.jail.ip4Addr", json!([address]))
}
