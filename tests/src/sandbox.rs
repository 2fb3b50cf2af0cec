//! A place for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use runj_jail::{Jail, ProcessId, Signal};
use tempfile::TempDir;

use crate::bundle::Bundle;
use crate::container::Container;
use crate::host_state::HostState;
use crate::invocation::{Invocation, Outcome};
use crate::programs::Programs;
use crate::sys;
use crate::wait::DEADLINE;

/// A directory with everything that one test does: the state of its containers (`--root`), their
/// bundles, and the output of each call of `runj`.
///
/// [`finish`](Self::finish) shows that nothing is left of its containers. A sandbox that is only
/// dropped, as that of a test that has failed, is cleaned up as well as possible.
#[derive(Debug)]
pub struct Sandbox<'a> {
    pub(crate) programs: &'a Programs,
    dir: Option<TempDir>,
    path: PathBuf,
    /// Counts what is to have a name of its own.
    next: AtomicU32,
}

/// The variable of the environment by which processes that `runj` forked are known, until they
/// become a container's program.
pub const MARK: &str = "RUNJ_TEST_SANDBOX";

/// Tells the sandboxes of this process apart in names that the whole host shares.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl<'a> Sandbox<'a> {
    /// Makes one.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn new(programs: &'a Programs) -> Self {
        let dir = tempfile::Builder::new().prefix("runj-test-").tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        // An unprivileged user is to come as far as to be refused.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["state", "output"] {
            fs::create_dir(path.join(name)).unwrap();
        }
        let next = AtomicU32::new(NEXT.fetch_add(1, Ordering::Relaxed) * 1000);
        Self { programs, dir: Some(dir), path, next }
    }

    /// The directory, absolute and free of links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What `--root` is.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.path.join("state")
    }

    /// An id that no other container of this host has. Jails share their names.
    #[must_use]
    pub fn id(&self) -> String {
        format!("t{}x{}", std::process::id(), self.number())
    }

    /// A new bundle.
    #[must_use]
    pub fn bundle(&self) -> Bundle {
        self.bundle_in(self.path.join(format!("bundle{}", self.number())))
    }

    /// A new bundle in that directory, which does not exist yet.
    #[must_use]
    pub fn bundle_in(&self, dir: PathBuf) -> Bundle {
        Bundle::new(dir, &self.programs.probe_dir())
    }

    /// A call of `runj` with the sandbox's state directory as `--root`.
    pub fn runj(&self, args: impl IntoIterator<Item: AsRef<std::ffi::OsStr>>) -> Invocation {
        self.runj_without_root().args(["--root".as_ref(), self.state_dir().as_os_str()]).args(args)
    }

    /// A call of `runj` whose `--root` is up to the caller.
    pub fn runj_without_root(&self) -> Invocation {
        self.call(&self.programs.runj())
    }

    /// A script for sh(1), in the sandbox.
    pub fn shell(&self, script: &str) -> Invocation {
        self.call(Path::new("/bin/sh")).args(["-c", script])
    }

    /// A call of the test binary itself, for what has to be a process of its own.
    ///
    /// # Panics
    ///
    /// When the test binary has no path.
    pub fn this_program(&self) -> Invocation {
        self.call(&std::env::current_exe().unwrap())
    }

    /// Where `runj` is.
    #[must_use]
    pub fn runj_program(&self) -> PathBuf {
        self.programs.runj()
    }

    /// A call of a program.
    pub(crate) fn call(&self, program: &Path) -> Invocation {
        let output = self.path.join("output").join(self.number().to_string());
        Invocation::new(program, &output).env(MARK, &self.path).current_dir(&self.path)
    }

    /// Creates a container.
    ///
    /// # Panics
    ///
    /// When `runj create` fails or says anything.
    #[track_caller]
    pub fn create(&self, bundle: &Bundle) -> Container<'_> {
        self.create_as(&self.id(), bundle)
    }

    /// Creates a container of that id.
    ///
    /// # Panics
    ///
    /// When `runj create` fails or says anything.
    #[track_caller]
    pub fn create_as(&self, id: &str, bundle: &Bundle) -> Container<'_> {
        let outcome = self.try_create(id, bundle);
        outcome.succeeded_silently();
        Container::new(self, id.to_owned(), outcome.stdout_file().to_owned())
    }

    /// Creates a container and starts it.
    ///
    /// # Panics
    ///
    /// When one of the two fails.
    #[track_caller]
    pub fn start(&self, bundle: &Bundle) -> Container<'_> {
        let container = self.create(bundle);
        container.start();
        container
    }

    /// Tries to create a container of that id.
    pub fn try_create(&self, id: &str, bundle: &Bundle) -> Outcome {
        self.runj(["create", "--bundle"]).args([bundle.dir()]).args([id]).run()
    }

    /// The message that `runj create` refuses a bundle with, after which the host is as it was.
    ///
    /// # Panics
    ///
    /// When the bundle is not refused, or something has changed.
    #[track_caller]
    pub fn refused(&self, bundle: &Bundle) -> String {
        let before = self.host();
        let message = self.try_create(&self.id(), bundle).refused();
        self.host().assert_unchanged_since(&before);
        message
    }

    /// What a line for the shell prints in a container of the bundle, which is then deleted.
    ///
    /// # Panics
    ///
    /// When a step fails.
    #[track_caller]
    #[must_use]
    pub fn output(&self, bundle: &Bundle, line: &str) -> String {
        let container = self.start(bundle);
        let output = container.exec([], ["sh", "-c", line]).run().succeeded();
        container.delete_by_force();
        output
    }

    /// Runs a container to its end.
    pub fn run(&self, bundle: &Bundle) -> Outcome {
        self.runj(["run", "--bundle"]).args([bundle.dir()]).args([self.id()]).run()
    }

    /// What the sandbox has changed about the host by now, and the files in it.
    #[must_use]
    pub fn host(&self) -> HostState {
        HostState::of(self)
    }

    /// Deletes all containers by force and shows that nothing is left of any.
    ///
    /// # Panics
    ///
    /// When something is.
    pub fn finish(mut self) {
        for id in self.recorded() {
            self.runj(["delete", "--force", &id]).run().succeeded_silently();
        }
        HostState::of(&self).assert_unconcerned();
        self.dir.take().unwrap().close().unwrap();
    }

    /// The names of everything in the state directory.
    fn recorded(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.state_dir()) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// The jails whose root is below `path`.
pub(crate) fn jails_below(path: &Path) -> Vec<(Jail, String)> {
    let jails = Jail::list().unwrap().into_iter();
    let below = |jail: Jail| {
        // One that has gone meanwhile is none.
        let root = jail.path().ok()?;
        Path::new(&root).starts_with(path).then_some(())?;
        Some((jail, jail.name().ok()?))
    };
    jails.filter_map(below).collect()
}

impl Drop for Sandbox<'_> {
    /// Leaves nothing of a test that has failed, whatever `runj` is still able to do.
    fn drop(&mut self) {
        let Some(dir) = self.dir.take() else { return };
        for id in self.recorded() {
            let _ = self.runj(["delete", "--force", &id]).run();
        }
        if nix::unistd::geteuid().is_root() {
            for (jail, _) in jails_below(&self.path) {
                let _ = jail.remove();
                let _ = jail.wait_empty(DEADLINE);
            }
        }
        for pid in sys::marked_processes(&self.path) {
            if let Ok(Some(process)) = ProcessId::of(pid) {
                let _ = process.signal(Signal::KILL);
                let _ = process.wait(DEADLINE);
            }
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
