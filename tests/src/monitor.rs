//! What conmon and buildah are to a container: the process that calls `runj`, inherits the
//! container's process from it, and collects that.
//!
//! It has to be a process of its own, since whoever adopts orphans adopts all of them. It is the
//! test binary, called again.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::invocation::Invocation;
use crate::sandbox::Sandbox;
use crate::sys;
use crate::wait::eventually;

/// The variable of the environment by which the test binary knows that it is called as one.
const ROLE: &str = "RUNJ_TEST_MONITOR";

/// Does a monitor's work, if this process is to be one. The first thing that `main` has to call.
///
/// # Panics
///
/// When the work cannot be done.
#[must_use]
pub fn monitor() -> Option<ExitCode> {
    env::var_os(ROLE)?;
    sys::become_reaper().expect("orphans come to us");
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let (runj, args) = args.split_first().expect("a program");
    let status = Command::new(runj).args(args).env_remove(ROLE).status().expect("it runs");
    if !status.success() {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        return Some(code.map_or(ExitCode::FAILURE, ExitCode::from));
    }
    let flag = args.iter().position(|arg| arg == "--pid-file").expect("--pid-file");
    let pid_file = Path::new(&args[flag + 1]);
    let pid = fs::read_to_string(pid_file).expect("a pid file").parse().expect("a pid");
    let end = match waitpid(Pid::from_raw(pid), None) {
        Ok(WaitStatus::Exited(_, status)) => json!({ "status": status }),
        Ok(WaitStatus::Signaled(_, signal, _)) => json!({ "signal": signal as i32 }),
        other => panic!("{pid} is not ours to wait for: {other:?}"),
    };
    // Whole or not at all, since it is waited for.
    let [new, end_file] = ["new", "end"].map(|name| pid_file.with_extension(name));
    fs::write(&new, end.to_string()).expect("the end");
    fs::rename(new, end_file).expect("the end");
    Some(ExitCode::SUCCESS)
}

/// A process of a container that a monitor looks after.
#[derive(Debug)]
pub struct Monitored {
    pid_file: PathBuf,
}

impl Monitored {
    /// One whose pid `runj` is to write to that file.
    #[must_use]
    pub fn new(pid_file: PathBuf) -> Self {
        Self { pid_file }
    }

    /// The file.
    ///
    /// # Panics
    ///
    /// When its path is not UTF-8.
    #[must_use]
    pub fn pid_file(&self) -> &str {
        self.pid_file.to_str().unwrap()
    }

    /// Its pid, once there is one.
    #[must_use]
    pub fn pid(&self) -> i32 {
        eventually("a pid", || fs::read_to_string(&self.pid_file).ok()?.parse().ok())
    }

    /// Waits until the monitor has collected it: `{"status": 0}` or `{"signal": 9}`.
    #[must_use]
    pub fn end(&self) -> Value {
        eventually("the end", || {
            let text = fs::read_to_string(self.pid_file.with_extension("end")).ok()?;
            serde_json::from_str(&text).ok()
        })
    }
}

impl Sandbox<'_> {
    /// A call of `runj` by a monitor. `args` contain `--pid-file`.
    ///
    /// # Panics
    ///
    /// When the test binary has no path.
    pub fn monitored<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Invocation {
        let runj = self.programs.runj();
        let state = self.state_dir();
        self.this_program()
            .env(ROLE, "")
            .args([runj.as_os_str(), "--root".as_ref(), state.as_os_str()])
            .args(args)
    }
}
