//! One call of `runj`.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use runj_jail::{ProcessId, Signal};
use serde_json::Value;

use crate::sys::{self, FewProcesses};
use crate::terminal::Terminal;
use crate::wait::DEADLINE;

/// A call of `runj` in preparation.
///
/// Its output goes to files, not to pipes: the container's process inherits it and may outlive
/// the call.
#[derive(Debug)]
#[must_use = "nothing runs before `run` or `spawn`"]
pub struct Invocation {
    command: Command,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Invocation {
    /// `output` is the path that the names of the files for its output begin with.
    pub(crate) fn new(runj: &Path, output: &Path) -> Self {
        let [stdout, stderr] = ["out", "err"].map(|stream| output.with_extension(stream));
        let append = |path| {
            OpenOptions::new().append(true).create(true).open(path).unwrap_or_else(fail(path))
        };
        let mut command = Command::new(runj);
        command.stdin(Stdio::null()).stdout(append(&stdout)).stderr(append(&stderr));
        Self { command, stdout, stderr }
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable out of its environment.
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Starts it in that directory.
    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Runs it as that user.
    pub fn uid(mut self, uid: u32) -> Self {
        self.command.uid(uid).gid(uid);
        self
    }

    /// Gives it a standard input; by default it has an empty one.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Gives it these descriptors as 3, 4 and so on, and none of them close-on-exec.
    pub fn descriptors(mut self, descriptors: Vec<OwnedFd>) -> Self {
        sys::descriptors_from_three(&mut self.command, descriptors);
        self
    }

    /// Lets it, and what it starts, have so many descriptors open at once.
    pub fn most_descriptors(mut self, most: u64) -> Self {
        sys::limit_descriptors(&mut self.command, most);
        self
    }

    /// Makes it one of those few processes.
    pub fn among(mut self, few: &FewProcesses) -> Self {
        few.admit(&mut self.command);
        self
    }

    /// Runs it to its end with its standard streams at a terminal, which somebody else's session may
    /// have; what it shows there, and how it ends.
    ///
    /// The terminal stays open until all is read: what was not is thrown away by FreeBSD a second
    /// after the last one has closed it (`tty_drain`, sys/kern/tty.c), and at once when the leader
    /// of its session ends.
    ///
    /// # Panics
    ///
    /// When it cannot be executed, or does not end in time.
    pub fn run_at_terminal(self) -> (String, Outcome) {
        const END: &str = "<the end>";
        let (mut terminal, slave) = Terminal::open();
        let running = self.streams_at(&slave).spawn();
        let ending = thread::spawn(move || {
            let outcome = running.wait();
            let mut slave = File::from(slave);
            slave.write_all(END.as_bytes()).unwrap();
            (outcome, slave)
        });
        let shown = terminal.until(END);
        let (outcome, _slave) = ending.join().unwrap();
        (shown.trim_end_matches(END).replace("\r\n", "\n"), outcome)
    }

    /// Makes that terminal its standard streams and, in a session of its own, the one that
    /// controls it: it runs there as if somebody had typed it.
    pub fn on_terminal(self, terminal: &OwnedFd) -> Self {
        let mut at = self.streams_at(terminal);
        sys::control_by_standard_input(&mut at.command);
        at
    }

    fn streams_at(mut self, terminal: &OwnedFd) -> Self {
        let stream = || terminal.try_clone().unwrap();
        self.command.stdin(stream()).stdout(stream()).stderr(stream());
        self
    }

    /// Lets it inherit ignored and blocked signals: SIGHUP, SIGUSR1 and SIGCHLD.
    pub fn deaf_to_signals(mut self) -> Self {
        sys::ignore_and_block_signals(&mut self.command);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When the program cannot be executed.
    pub fn spawn(mut self) -> Running {
        let line = format!("{:?}", self.command);
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        Running { line, child, stdout: self.stdout, stderr: self.stderr }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be executed, or does not end in time.
    pub fn run(self) -> Outcome {
        self.spawn().wait()
    }
}

/// A call of `runj` that goes on.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Sends it a signal, if it still runs.
    ///
    /// # Panics
    ///
    /// When the kernel refuses.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = self.process() {
            process.signal(signal).unwrap();
        }
    }

    /// What it, and its container, wrote to standard output up to now.
    ///
    /// # Panics
    ///
    /// When the file that it goes to cannot be read.
    #[must_use]
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    pub fn wait(self) -> Outcome {
        self.wait_within(DEADLINE)
    }

    /// Waits for its end, which may take so long.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    pub fn wait_within(mut self, limit: Duration) -> Outcome {
        if let Some(process) = self.process()
            && !process.wait(limit).unwrap()
        {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
            panic!("{} did not end within {limit:?}", self.line);
        }
        let status = self.child.wait().unwrap();
        Outcome { line: self.line, status, stdout: self.stdout, stderr: self.stderr }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.process().is_none()
    }

    /// Itself; nothing once it has ended.
    fn process(&self) -> Option<ProcessId> {
        ProcessId::of(i32::try_from(self.child.id()).unwrap()).unwrap()
    }
}

/// What came of a call of `runj`.
#[derive(Debug)]
pub struct Outcome {
    line: String,
    /// How it ended.
    pub status: ExitStatus,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Outcome {
    /// What it, and its container since, wrote to standard output.
    ///
    /// # Panics
    ///
    /// When the file that it went to cannot be read.
    #[must_use]
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it, and its container since, wrote to standard error.
    ///
    /// # Panics
    ///
    /// When the file that it went to cannot be read.
    #[must_use]
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Its exit status.
    ///
    /// # Panics
    ///
    /// When a signal has ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        let signal = self.status.signal();
        self.status.code().unwrap_or_else(|| panic!("{}: ended by signal {signal:?}", self.line))
    }

    /// It did what it was asked for, without complaint. What it wrote to standard output.
    ///
    /// # Panics
    ///
    /// When it failed, or wrote to standard error.
    #[track_caller]
    pub fn succeeded(&self) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        assert!(
            self.status.success() && stderr.is_empty(),
            "{}: {}\nstdout: {stdout}\nstderr: {stderr}",
            self.line,
            self.status
        );
        stdout
    }

    /// It did what it was asked for and said nothing at all.
    ///
    /// # Panics
    ///
    /// When it failed, or wrote anything.
    #[track_caller]
    pub fn succeeded_silently(&self) {
        assert_eq!(self.succeeded(), "", "{}: unasked-for output", self.line);
    }

    /// It did what it was asked for and wrote one JSON document to standard output.
    ///
    /// # Panics
    ///
    /// When it failed or wrote anything else.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = self.succeeded();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}: {text}", self.line))
    }

    /// It refused in the way that every error has: status 1, one line on standard error, nothing
    /// on standard output. The line without the program's name.
    ///
    /// # Panics
    ///
    /// When it succeeded, or failed in another way.
    #[track_caller]
    pub fn refused(&self) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let message = stderr.strip_prefix("runj: ").and_then(|line| line.strip_suffix('\n'));
        match message {
            Some(message)
                if self.status.code() == Some(1)
                    && stdout.is_empty()
                    && !message.is_empty()
                    && !message.contains('\n') =>
            {
                message.to_owned()
            }
            _ => panic!(
                "{}: expected an error, got {}\nstdout: {stdout}\nstderr: {stderr}",
                self.line, self.status
            ),
        }
    }

    /// Where its standard output, and that of its container, goes.
    #[must_use]
    pub fn stdout_file(&self) -> &Path {
        &self.stdout
    }
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(fail(path));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn fail<T>(path: &Path) -> impl FnOnce(std::io::Error) -> T {
    move |error| panic!("{}: {error}", path.display())
}
