//! Calling `runj`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Seek as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use runj_faults::{Point, at};
use runj_jail::JailName;
use runj_spec::ContainerId;
use serde::Deserialize;
use tempfile::TempDir;

use crate::error::Error;
use crate::reaper::Reaper;

/// The `runj` of one container.
#[derive(Clone, Debug)]
pub(crate) struct Runj {
    binary: PathBuf,
    /// Its `--root`.
    root: PathBuf,
    id: ContainerId,
    /// Where it leaves what it has to say.
    bundle: PathBuf,
    reaper: Reaper,
}

/// What a process is to have as its standard streams.
#[derive(Debug)]
pub(crate) enum Streams {
    /// These.
    Three { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    /// A terminal, whose other side goes to whoever listens at this socket.
    Terminal { console_socket: PathBuf },
    /// Nothing but this file to write to.
    Output(File),
}

/// What `runj state` tells, as far as it matters here.
#[derive(Deserialize)]
struct Told {
    status: String,
}

/// A line of `runj --log`.
#[derive(Deserialize)]
struct Line {
    level: String,
    msg: String,
}

impl Runj {
    pub(crate) fn new(
        binary: PathBuf,
        root: PathBuf,
        id: ContainerId,
        bundle: PathBuf,
        reaper: Reaper,
    ) -> Self {
        Self { binary, root, id, bundle, reaper }
    }

    /// `runj create`
    pub(crate) async fn create(
        &self,
        jail_name: &JailName,
        pid_file: &Path,
        streams: Streams,
    ) -> Result<(), Error> {
        let mut args = Args::new("create");
        args.flag("--bundle", &self.bundle).flag("--jail-name", jail_name.as_str());
        args.flag("--pid-file", pid_file);
        self.call(args, Some(streams)).await
    }

    /// `runj start`
    pub(crate) async fn start(&self) -> Result<(), Error> {
        self.call(Args::new("start"), None).await
    }

    /// `runj exec`, without staying for the process's end.
    pub(crate) async fn exec(
        &self,
        process: &Path,
        pid_file: &Path,
        streams: Streams,
    ) -> Result<(), Error> {
        let mut args = Args::new("exec");
        args.flag("--process", process).flag("--pid-file", pid_file).word("--detach");
        self.call(args, Some(streams)).await
    }

    /// `runj kill`
    pub(crate) async fn kill(&self, signal: u32, all: bool) -> Result<(), Error> {
        let mut args = Args::new("kill");
        if all {
            args.word("--all");
        }
        args.last = Some(signal.to_string());
        self.call(args, None).await
    }

    /// Whether `runj state` tells that the container is paused.
    pub(crate) async fn is_paused(&self) -> Result<bool, Error> {
        const WHAT: &str = "what runj state tells";
        let mut output = tempfile::tempfile_in(&self.bundle).map_err(Error::io(WHAT))?;
        let theirs = output.try_clone().map_err(Error::io(WHAT))?;
        self.call(Args::new("state"), Some(Streams::Output(theirs))).await?;
        output.rewind().map_err(Error::io(WHAT))?;
        let text = io::read_to_string(output).map_err(Error::io(WHAT))?;
        let told: Told = serde_json::from_str(&text).map_err(Error::io(WHAT))?;
        Ok(told.status == "paused")
    }

    /// `runj pause` or `runj resume`
    pub(crate) async fn switch(&self, verb: &'static str) -> Result<(), Error> {
        self.call(Args::new(verb), None).await
    }

    /// `runj update`
    pub(crate) async fn update(&self, resources: &Path) -> Result<(), Error> {
        let mut args = Args::new("update");
        args.flag("--resources", resources);
        self.call(args, None).await
    }

    /// `runj delete`
    pub(crate) async fn delete(&self) -> Result<(), Error> {
        let mut args = Args::new("delete");
        args.word("--force");
        self.call(args, None).await
    }

    async fn call(&self, args: Args, streams: Option<Streams>) -> Result<(), Error> {
        let verb = args.verb;
        // Removed when it is dropped, and with the bundle if it never is.
        let log = scratch(&self.bundle)?;
        let file = log.path().join("log");
        let mut command = Command::new(&self.binary);
        command.arg("--root").arg(&self.root);
        command.arg("--log").arg(&file).args(["--log-format", "json"]);
        command.arg(verb).args(&args.flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match streams {
            None => {}
            Some(Streams::Three { stdin, stdout, stderr }) => {
                command.stdin(stdin).stdout(stdout).stderr(stderr);
            }
            Some(Streams::Terminal { console_socket }) => {
                command.arg("--console-socket").arg(console_socket);
            }
            Some(Streams::Output(file)) => {
                command.stdout(file);
            }
        }
        command.arg(self.id.as_ref()).args(&args.last);
        tracing::debug!("{command:?}");
        let end = at(Point::ShimRunj)
            .map_err(io::Error::from)
            .and_then(|()| self.reaper.spawn(&mut command));
        // Ours of the process's streams; only it is to have them.
        drop(command);
        let (_, end) = end.map_err(Error::io(format!("{}", self.binary.display())))?;
        let status = end.await.map_or(1, |exit| exit.status);
        if status == 0 {
            return Ok(());
        }
        let message = last_error(&file)
            .unwrap_or_else(|| format!("it ended with status {status} and did not say why"));
        Err(Error::Runj { verb, message })
    }
}

/// The arguments of a call.
struct Args {
    verb: &'static str,
    flags: Vec<std::ffi::OsString>,
    /// What follows the id.
    last: Option<String>,
}

impl Args {
    fn new(verb: &'static str) -> Self {
        Self { verb, flags: Vec::new(), last: None }
    }

    fn word(&mut self, word: &str) -> &mut Self {
        self.flags.push(word.into());
        self
    }

    fn flag(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.flags.push(name.into());
        self.flags.push(value.as_ref().to_owned());
        self
    }
}

/// A directory for the files of one call, in the bundle so that it goes with it.
pub(crate) fn scratch(bundle: &Path) -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix(".runj-")
        .tempdir_in(bundle)
        .map_err(Error::io(format!("{}", bundle.display())))
}

/// Why `runj` failed: the last error in its log.
fn last_error(log: &Path) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    let lines = text.lines().rev().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines.into_iter().find(|line| line.level == "error").map(|line| line.msg)
}

/// The `runj` beside this program or, where there is none, the first in PATH.
pub(crate) fn find() -> PathBuf {
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join("runj")));
    match beside {
        Some(runj) if runj.is_file() => runj,
        _ => "runj".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        assert_eq!(last_error(&log), None);
        let text = concat!(
            r#"{"level":"warning","msg":"a"}"#,
            "\n",
            r#"{"level":"error","msg":"b \"c\""}"#,
            "\n",
            r#"{"level":"warning","msg":"d"}"#,
            "\n",
            "not JSON\n",
        );
        fs::write(&log, text).unwrap();
        assert_eq!(last_error(&log).unwrap(), r#"b "c""#);
    }
}
