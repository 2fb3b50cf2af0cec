//! One containerd.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use runj_jail::{ProcessId, Signal};
use tempfile::TempDir;

use super::{Binaries, Release, Userland, image};
use crate::invocation::{Invocation, Outcome};
use crate::sandbox::{MARK, jails_below};
use crate::sys;
use crate::wait::{DEADLINE, eventually};

/// The image that each [`Engine`] has.
pub const IMAGE: &str = "example.org/runj/userland:latest";

/// The runtime's name, from which containerd makes that of the shim.
const RUNTIME: &str = "wtf.sbk.runj.v1";

/// A containerd with everything of its own: state, socket, images.
///
/// [`finish`](Self::finish) shows that nothing is left of its containers. One that is only
/// dropped, as that of a test that has failed, is cleaned up as well as possible.
#[derive(Debug)]
pub struct Engine<'a> {
    release: &'a Release,
    binaries: &'a Binaries,
    dir: Option<TempDir>,
    path: PathBuf,
    daemon: Option<Child>,
    next: AtomicU32,
    /// The ids that were given out.
    ids: Mutex<Vec<String>>,
}

/// Tells containers of this process apart: jails share their names with the whole host.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl<'a> Engine<'a> {
    /// Starts one that has [`IMAGE`].
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(release: &'a Release, binaries: &'a Binaries) -> Self {
        let dir = tempfile::Builder::new().prefix("runj-ctd-").tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        fs::create_dir(path.join("output")).unwrap();
        let config = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = {:?}\n\
             [grpc]\naddress = {:?}\n[debug]\nlevel = \"debug\"\n\
             [timeouts]\n\"io.containerd.timeout.task.state\" = \"{}s\"\n",
            path.join("root"),
            path.join("state"),
            // What writes elsewhere.
            [
                "io.containerd.grpc.v1.cri",
                "io.containerd.cri.v1.images",
                "io.containerd.cri.v1.runtime",
                "io.containerd.internal.v1.opt",
                "io.containerd.nri.v1.nri",
            ],
            path.join("sock"),
            // Two seconds are little to an emulated machine.
            DEADLINE.as_secs(),
        );
        fs::write(path.join("config.toml"), config).unwrap();
        let next = AtomicU32::new(0);
        let mut engine = Self {
            release,
            binaries,
            dir: Some(dir),
            path,
            daemon: None,
            next,
            ids: Mutex::default(),
        };
        engine.start_daemon();
        engine.import("default", IMAGE, &["sh"]);
        engine
    }

    /// Imports an image with that name into a namespace, which runs that command.
    ///
    /// # Panics
    ///
    /// When it cannot be made or imported.
    pub fn import(&self, namespace: &str, name: &str, command: &[&str]) {
        self.import_layers(namespace, name, command, &[image::root_layer(&Userland::host())]);
    }

    /// Imports an image whose root has, beside what others have, files in as many layers.
    ///
    /// # Panics
    ///
    /// When it cannot be made or imported.
    pub fn import_with_files(&self, name: &str, files: &[String]) {
        let files = files.iter().map(|path| image::file_layer(path));
        let layers: Vec<_> =
            [image::root_layer(&Userland::host())].into_iter().chain(files).collect();
        self.import_layers("default", name, &["sh"], &layers);
    }

    fn import_layers(&self, namespace: &str, name: &str, command: &[&str], layers: &[Vec<u8>]) {
        let file = self.path.join("image.tar");
        image::write(&file, name, layers, command);
        self.ctr(["--namespace", namespace, "images", "import"]).args([&file]).run().code_is(0);
        fs::remove_file(file).unwrap();
    }

    /// Its directory, which is free of links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The release.
    #[must_use]
    pub fn release(&self) -> &Release {
        self.release
    }

    /// Where a container's bundle is.
    #[must_use]
    pub fn bundle(&self, id: &str) -> PathBuf {
        self.path.join("state/io.containerd.runtime.v2.task/default").join(id)
    }

    /// An id that no other container of this host has.
    #[must_use]
    pub fn id(&self) -> String {
        let id = format!("c{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.ids.lock().unwrap().push(id.clone());
        id
    }

    /// Whether no container of the host has that id, in any of containerd's namespaces.
    #[must_use]
    pub fn is_free(&self, id: &str) -> bool {
        states_of(id).next().is_none()
    }

    /// Takes an id that somebody else gives out like one of [`id`](Self::id)'s: what is left of its
    /// container is seen, and cleaned up.
    pub fn take_id(&self, id: &str) {
        self.ids.lock().unwrap().push(id.to_owned());
    }

    /// A call of `ctr`.
    pub fn ctr(&self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Invocation {
        self.invocation(&self.release.directory.join("ctr"))
            .args(["--address".as_ref(), self.path.join("sock").as_os_str()])
            .args(args)
    }

    /// `ctr run` of a command in a new container, with these flags.
    pub fn run(&self, flags: &[&str], id: &str, command: &[&str]) -> Invocation {
        self.run_in("default", flags, id, command)
    }

    /// The same in another namespace, which has to have the image.
    pub fn run_in(
        &self,
        namespace: &str,
        flags: &[&str],
        id: &str,
        command: &[&str],
    ) -> Invocation {
        self.ctr(["--namespace", namespace, "run", "--runtime", RUNTIME])
            .args(flags)
            .args([IMAGE, id])
            .args(command)
    }

    /// A line for sh(1), in the engine's directory and with its `ctr`, which need not be told whose.
    pub fn shell(&self, line: &str) -> Invocation {
        let path = std::env::var("PATH").unwrap_or_default();
        self.invocation(Path::new("/bin/sh"))
            .args(["-c", line])
            .current_dir(&self.path)
            .env("PATH", format!("{}:{path}", self.release.directory.display()))
            .env("CONTAINERD_ADDRESS", self.path.join("sock"))
    }

    /// Runs a container in the background until it is deleted.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[track_caller]
    pub fn detached(&self, id: &str, command: &[&str]) {
        self.run(&["--detach"], id, command).run().code_is(0);
    }

    /// Kills a container's processes and deletes it.
    ///
    /// # Panics
    ///
    /// When something is left.
    #[track_caller]
    pub fn remove(&self, id: &str) {
        self.ctr(["task", "rm", "--force", id]).run();
        self.ctr(["container", "rm", id]).run().code_is(0);
    }

    /// What containerd says of a container's process, such as `RUNNING`.
    #[must_use]
    pub fn status(&self, id: &str) -> String {
        let list = self.ctr(["task", "ls"]).run().code_is(0);
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(id));
        line.and_then(|line| line.split_whitespace().nth(2)).unwrap_or_default().to_owned()
    }

    /// Waits until containerd says that of a container's process.
    #[track_caller]
    pub fn wait_status(&self, id: &str, status: &str) {
        eventually(&format!("{id} to be {status}"), || (self.status(id) == status).then_some(()));
    }

    /// The pid of a container's first process.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn pid(&self, id: &str) -> i32 {
        let list = self.ctr(["task", "ls"]).run().code_is(0);
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(id));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .unwrap_or_else(|| panic!("no pid of {id} in {list}"))
    }

    /// The pid of a container's shim.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn shim(&self, id: &str) -> ProcessId {
        self.shim_by_name("containerd-shim-runj-v1", id)
    }

    /// The same of whichever shim, by the name of its program.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn shim_by_name(&self, program: &str, id: &str) -> ProcessId {
        let is_shim = |pid: &i32| {
            let line = sys::command_line(*pid);
            let mut words = line.split(|&byte| byte == 0);
            words.next().is_some_and(|word| word.ends_with(program.as_bytes()))
                && words.any(|word| word == id.as_bytes())
        };
        let pid = sys::marked_processes(&self.path).into_iter().find(is_shim);
        let pid = pid.unwrap_or_else(|| panic!("{id} has no {program}"));
        ProcessId::of(pid).unwrap().unwrap()
    }

    /// The program of the shim.
    #[must_use]
    pub fn shim_program(&self) -> PathBuf {
        self.binaries.directory().join("containerd-shim-runj-v1")
    }

    /// Makes, in that directory, what the image has.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn install_userland(&self, root: &Path) {
        Userland::host().install(root);
    }

    /// What is mounted below a path of the host's, the oldest first.
    #[must_use]
    pub fn mounts_below(&self, path: &Path) -> Vec<PathBuf> {
        sys::mounts().into_iter().filter(|mount| mount.starts_with(path)).collect()
    }

    /// Kills containerd as a crash would.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill_daemon(&mut self) {
        let mut daemon = self.daemon.take().expect("containerd runs");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// Starts containerd, the first time or again.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_daemon(&mut self) {
        let log = self.path.join("log");
        let log = fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.binaries.directory().display());
        let daemon = Command::new(self.release.directory.join("containerd"))
            .arg("--config")
            .arg(self.path.join("config.toml"))
            .env("PATH", path)
            .env(MARK, &self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemon = Some(daemon);
        let socket = self.path.join("sock");
        eventually("containerd", || UnixStream::connect(&socket).ok());
        // It listens before it has read what there is from before.
        eventually("containerd's answer", || {
            self.ctr(["version"]).run().status.success().then_some(())
        });
    }

    /// Shows that nothing is left of any container: no jail, no mount, no process, no bundle, no
    /// state of `runj`.
    ///
    /// # Panics
    ///
    /// When something is.
    pub fn finish(mut self) {
        self.assert_nothing_left();
        self.kill_daemon();
        self.dir.take().unwrap().close().unwrap();
    }

    /// The same without the end of containerd.
    ///
    /// # Panics
    ///
    /// When something is.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let daemon = self.daemon.as_ref().map(|daemon| i32::try_from(daemon.id()).unwrap());
        // Shims end after they have said that they will.
        eventually("shims to end", || {
            let mut processes = sys::marked_processes(&self.path);
            processes.retain(|pid| Some(*pid) != daemon && !is_zombie(*pid));
            processes.is_empty().then_some(())
        });
        let jails: Vec<_> = jails_below(&self.path).into_iter().map(|(_, name)| name).collect();
        assert!(jails.is_empty(), "jails are left: {jails:?}");
        let mounts: Vec<_> =
            sys::mounts().into_iter().filter(|mount| mount.starts_with(&self.path)).collect();
        assert!(mounts.is_empty(), "mounts are left: {mounts:?}");
        let states = self.states();
        assert!(states.is_empty(), "states of runj are left: {states:?}");
        // containerd removes them when all else is done.
        let tasks = self.path.join("state/io.containerd.runtime.v2.task");
        eventually("bundles to go", || {
            let mut namespaces = fs::read_dir(&tasks).into_iter().flatten();
            let empty = namespaces
                .all(|namespace| fs::read_dir(namespace.unwrap().path()).unwrap().next().is_none());
            empty.then_some(())
        });
    }
}

impl Engine<'_> {
    fn invocation(&self, program: &Path) -> Invocation {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let output = self.path.join("output").join(number.to_string());
        Invocation::new(program, &output)
            .env(MARK, &self.path)
            // ctr would say on standard error what is old-fashioned about this host.
            .env("CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS", "1")
    }

    /// What the shims' `runj` has of its containers.
    fn states(&self) -> Vec<PathBuf> {
        self.ids.lock().unwrap().iter().flat_map(|id| states_of(id)).collect()
    }
}

/// What the shims' `runj` has of containers of that id, in any of containerd's namespaces.
fn states_of(id: &str) -> impl Iterator<Item = PathBuf> {
    let namespaces = fs::read_dir("/var/run/runj-shim").into_iter().flatten();
    namespaces.map(move |entry| entry.unwrap().path().join(id)).filter(|state| state.exists())
}

/// A process that has ended, which its parent has not collected.
fn is_zombie(pid: i32) -> bool {
    ProcessId::of(pid).unwrap().is_none()
}

impl Outcome {
    /// It ended with that status. What it wrote to standard output.
    ///
    /// # Panics
    ///
    /// When it ended otherwise.
    #[track_caller]
    pub fn code_is(&self, code: i32) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        assert_eq!(self.code(), code, "{self:?}\nstdout: {stdout}\nstderr: {stderr}");
        stdout
    }
}

impl Drop for Engine<'_> {
    /// Leaves nothing of a test that has failed, whatever containerd is still able to do.
    #[allow(clippy::print_stderr)]
    fn drop(&mut self) {
        let Some(dir) = self.dir.take() else { return };
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        for namespace in fs::read_dir(self.path.join("state/io.containerd.runtime.v2.task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            for bundle in fs::read_dir(namespace.path()).into_iter().flatten().flatten() {
                let address = fs::read_to_string(bundle.path().join("address"));
                if let Some(socket) = address.unwrap_or_default().strip_prefix("unix://") {
                    let _ = fs::remove_file(socket);
                }
            }
        }
        for pid in sys::marked_processes(&self.path) {
            if let Ok(Some(process)) = ProcessId::of(pid) {
                let _ = process.signal(Signal::KILL);
                let _ = process.wait(DEADLINE);
            }
        }
        if nix::unistd::geteuid().is_root() {
            for (jail, _) in jails_below(&self.path) {
                let _ = jail.remove();
                let _ = jail.wait_empty(DEADLINE);
            }
        }
        for mount in sys::mounts().iter().rev().filter(|mount| mount.starts_with(&self.path)) {
            let _ = sys::unmount(mount);
        }
        for state in self.states() {
            let runj = self.binaries.directory().join("runj");
            let (root, id) = (state.parent().unwrap(), state.file_name().unwrap());
            let mut delete = Command::new(runj);
            delete.arg("--root").arg(root).args(["delete", "--force"]).arg(id);
            let _ = delete.output();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.path.join("log")).unwrap_or_default();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("plugin")).collect();
            eprintln!("containerd's log:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        if sys::mounts().iter().any(|mount| mount.starts_with(&self.path)) {
            // What would be removed might be the host's own.
            let _ = dir.keep();
        }
    }
}
