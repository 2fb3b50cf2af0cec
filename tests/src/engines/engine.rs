//! One podman's and buildah's storage, and what they leave on the host.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use runj_jail::{ProcessId, Signal};
use serde_json::Value;
use tempfile::TempDir;

use super::Tools;
use crate::containerd;
use crate::invocation::{Invocation, Outcome};
use crate::programs::Programs;
use crate::sandbox::{MARK, jails_below};
use crate::sys;
use crate::wait::{DEADLINE, eventually};

/// The image that each [`Engine`] has.
pub const IMAGE: &str = "localhost/runj/userland:latest";

/// What a release has for them.
const SHIPPED: &str = include_str!("../../../dist/podman/containers.conf");

/// podman and buildah with one storage.
///
/// [`finish`](Self::finish) shows that nothing is left of their containers. One that is only
/// dropped, as that of a test that has failed, is cleaned up as well as possible.
#[derive(Debug)]
pub struct Engine<'a> {
    tools: &'a Tools,
    programs: &'a Programs,
    dir: Option<TempDir>,
    path: PathBuf,
    next: AtomicU32,
}

impl<'a> Engine<'a> {
    /// Sets up a storage that has [`IMAGE`].
    ///
    /// # Panics
    ///
    /// When that fails.
    #[must_use]
    pub fn start(tools: &'a Tools, programs: &'a Programs) -> Self {
        let dir = tempfile::Builder::new().prefix("runj-engine-").tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        for name in ["home/.config/containers", "net", "output", "tmp"] {
            fs::create_dir_all(path.join(name)).unwrap();
        }
        let next = AtomicU32::new(0);
        let engine = Self { tools, programs, dir: Some(dir), path, next };
        engine.configure();
        let root = engine.path.join("root.tar");
        fs::write(&root, containerd::root_archive()).unwrap();
        engine.podman(["import", "--quiet"]).args([root.as_os_str(), IMAGE.as_ref()]).run().ok();
        fs::remove_file(root).unwrap();
        engine
    }

    /// Writes all that the two read, so that nothing of the host's counts, and they write nowhere
    /// else.
    fn configure(&self) {
        let here = self.path.display();
        let [seccomp, conmon] = [self.tools.seccomp_profile(), self.tools.program("conmon")];
        let runj = self.programs.runj();
        let shipped = SHIPPED.replace("/usr/local/bin/runj", runj.to_str().unwrap());
        let (_, shipped) = shipped.split_once("[engine]\n").unwrap();
        let containers = format!(
            r#"[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
netns = "host"
seccomp_profile = {seccomp:?}
[engine]
cgroup_manager = "cgroupfs"
conmon_path = [{conmon:?}]
conmon_env_vars = {environment:?}
events_logger = "none"
lock_type = "file"
static_dir = "{here}/libpod"
tmp_dir = "{here}/run/libpod"
volume_path = "{here}/volumes"
{shipped}
[network]
network_config_dir = "{here}/net"
"#,
            // conmon passes it to the podman that cleans up.
            environment = self.environment().map(|(name, value)| format!("{name}={value}")),
        );
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{here}/root\"\nrunroot = \"{here}/run\"\n"
        );
        let policy = r#"{"default": [{"type": "insecureAcceptAnything"}]}"#;
        for (name, text) in [
            ("containers.conf", containers.as_str()),
            ("storage.conf", &storage),
            ("registries.conf", ""),
            ("home/.config/containers/policy.json", policy),
        ] {
            fs::write(self.path.join(name), text).unwrap();
        }
    }

    /// Its directory, which is free of links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A call of podman.
    pub fn podman(&self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Invocation {
        self.call("podman", args)
    }

    /// A call of `runj` in the engine's directory.
    pub fn runj(&self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Invocation {
        Invocation::new(&self.programs.runj(), &self.output()).args(args).current_dir(&self.path)
    }

    /// Makes, in that directory, what the image has.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn install_userland(&self, root: &Path) {
        containerd::install_userland(root);
    }

    /// `podman run` of a command in a new container, with these flags.
    pub fn run(&self, flags: &[&str], command: &[&str]) -> Invocation {
        self.podman(["run"]).args(flags).args([IMAGE]).args(command)
    }

    /// Runs a container of that name in the background.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[track_caller]
    pub fn detached(&self, name: &str, command: &[&str]) {
        self.run(&["--detach", "--name", name], command).run().ok();
    }

    /// A call of buildah.
    pub fn buildah(&self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Invocation {
        self.call("buildah", args).env("BUILDAH_RUNTIME", self.programs.runj())
    }

    /// A script for sh(1), in the engine's directory and with its podman and buildah.
    pub fn shell(&self, script: &str) -> Invocation {
        let shell = Invocation::new(Path::new("/bin/sh"), &self.output()).args(["-c", script]);
        let shell = self.at_home(shell).env("BUILDAH_RUNTIME", self.programs.runj());
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", self.tools.directory().display()))
    }

    fn call(&self, program: &str, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Invocation {
        self.at_home(self.tools.call(program, &self.output()).args(args))
    }

    /// Gives a call the engine's directory and environment.
    fn at_home(&self, call: Invocation) -> Invocation {
        let call = call.current_dir(&self.path);
        self.environment().into_iter().fold(call, |call, (name, value)| call.env(name, value))
    }

    /// Where the output of another call goes.
    fn output(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.path.join("output").join(number.to_string())
    }

    /// What the programs have in their environment.
    fn environment(&self) -> [(&'static str, String); 9] {
        let at = |name: &str| format!("{}/{name}", self.path.display());
        [
            ("BUILDAH_ISOLATION", "oci".into()),
            ("CONTAINERS_CONF", at("containers.conf")),
            ("CONTAINERS_REGISTRIES_CONF", at("registries.conf")),
            ("CONTAINERS_STORAGE_CONF", at("storage.conf")),
            ("HOME", at("home")),
            ("LD_LIBRARY_PATH", self.tools.libraries()),
            (MARK, self.path.display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TMPDIR", at("tmp")),
        ]
    }

    /// What podman says of a container, by a template.
    #[must_use]
    #[track_caller]
    pub fn inspect(&self, name: &str, template: &str) -> String {
        let said = self.podman(["inspect", "--type", "container", "--format", template, name]);
        said.run().ok().trim_end().to_owned()
    }

    /// Waits until podman says that a container has ended; its exit status as podman has it.
    #[must_use]
    #[track_caller]
    pub fn exit_status(&self, name: &str) -> String {
        eventually("the container to end", || {
            // From the second to the first it is brought by a podman that conmon starts, which does
            // not run where there is no syslogd(8).
            let status = self.inspect(name, "{{.State.Status}}");
            let ended = ["exited", "stopped"].contains(&status.as_str());
            ended.then(|| self.inspect(name, "{{.State.ExitCode}}"))
        })
    }

    /// Waits until a container has written that to its log.
    #[track_caller]
    pub fn wait_logged(&self, name: &str, text: &str) {
        eventually("a line in the log", || {
            self.podman(["logs", name]).run().ok().contains(text).then_some(())
        });
    }

    /// Writes a Dockerfile that begins with [`IMAGE`]; the directory that it is in.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn dockerfile(&self, lines: &str) -> String {
        let dir = self.path.join("context");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("Dockerfile"), format!("FROM {IMAGE}\n{lines}\n")).unwrap();
        dir.to_str().unwrap().to_owned()
    }

    /// Removes all containers by force, and shows that nothing is left of any: no jail, no mount,
    /// no process, no state of `runj`.
    ///
    /// # Panics
    ///
    /// When something is.
    pub fn finish(mut self) {
        self.podman(["rm", "--force", "--all", "--time", "0"]).run().ok();
        // conmon ends after podman has cleaned up for it.
        eventually("conmon to end", || self.processes().is_empty().then_some(()));
        let jails: Vec<_> = jails_below(&self.path).into_iter().map(|(_, name)| name).collect();
        assert!(jails.is_empty(), "jails are left: {jails:?}");
        let mounts = self.mounts();
        assert!(mounts.is_empty(), "mounts are left: {mounts:?}");
        let states = self.states();
        assert!(states.is_empty(), "states of runj are left: {states:?}");
        self.dir.take().unwrap().close().unwrap();
    }

    /// The processes that podman and buildah have left and that have not ended.
    fn processes(&self) -> Vec<ProcessId> {
        let marked = sys::marked_processes(&self.path).into_iter();
        marked.filter_map(|pid| ProcessId::of(pid).unwrap()).collect()
    }

    fn mounts(&self) -> Vec<PathBuf> {
        // podman mounts a storage on itself, and leaves that until the host is booted.
        let own = self.path.join("root/vfs");
        let mut mounts = sys::mounts();
        mounts.retain(|mount| mount.starts_with(&self.path) && *mount != own);
        mounts
    }

    /// The containers that `runj` still knows.
    fn states(&self) -> Vec<String> {
        let output = self.path.join("output/list");
        let list = Invocation::new(&self.programs.runj(), &output).args(["list", "-f", "json"]);
        let list = list.run().json();
        let ours = |container: &&Value| {
            container["bundle"]
                .as_str()
                .is_some_and(|bundle| Path::new(bundle).starts_with(&self.path))
        };
        let id = |container: &Value| container["id"].as_str().unwrap().to_owned();
        list.as_array().into_iter().flatten().filter(ours).map(id).collect()
    }
}

impl Outcome {
    /// It did what it was asked for; a program may have warnings for standard error. What it wrote
    /// to standard output.
    ///
    /// # Panics
    ///
    /// When it failed.
    #[track_caller]
    pub fn ok(&self) -> String {
        self.code_is(0)
    }
}

impl Drop for Engine<'_> {
    /// Leaves nothing of a test that has failed, whatever podman is still able to do.
    fn drop(&mut self) {
        let Some(dir) = self.dir.take() else { return };
        for process in self.processes() {
            let _ = process.signal(Signal::KILL);
            let _ = process.wait(DEADLINE);
        }
        for (jail, _) in jails_below(&self.path) {
            let _ = jail.remove();
            let _ = jail.wait_empty(DEADLINE);
        }
        for id in self.states() {
            let output = self.path.join("output/delete");
            let runj = Invocation::new(&self.programs.runj(), &output);
            let _ = runj.args(["delete", "--force", &id]).run();
        }
        for mount in sys::mounts().iter().rev().filter(|mount| mount.starts_with(&self.path)) {
            let _ = sys::unmount(mount);
        }
        if sys::mounts().iter().any(|mount| mount.starts_with(&self.path)) {
            // What would be removed might be the host's own.
            let _ = dir.keep();
        }
    }
}
