//! What goes wrong in a container's life.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use runj_faults::Fault;
use runj_spec::ContainerId;

use crate::input::Input;
use crate::status::Status;

/// Why a verb could not do its work.
///
/// The texts of the first variants are those that podman and containerd know from runc.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no container of that id.
    #[error("container does not exist: {0}")]
    NoSuchContainer(ContainerId),
    /// There is one already.
    #[error("container with given ID already exists: {0}")]
    Exists(ContainerId),
    /// Jails and mounts are root's to make.
    #[error("permission denied: creating a container takes root")]
    NotRoot,
    /// The verb needs a process that runs.
    #[error("container not running: {id} is {status}")]
    NotRunning {
        /// The container.
        id: ContainerId,
        /// What it is instead.
        status: Status,
    },
    /// The verb does not fit what the container is doing.
    #[error("cannot {verb} container {id}: it is {status}, not {expected}")]
    WrongStatus {
        /// The verb.
        verb: &'static str,
        /// The container.
        id: ContainerId,
        /// What it is.
        status: Status,
        /// What it would have to be.
        expected: &'static str,
    },
    /// Only by force is a container deleted that has not ended.
    #[error("{}", alive(id, *status, Input::Force.name()))]
    Alive {
        /// The container.
        id: ContainerId,
        /// What it is.
        status: Status,
    },
    /// Another process holds the container's lock for too long.
    #[error("container {0} is locked: another runj has been working on it for 10 seconds")]
    Locked(ContainerId),
    /// The bundle, or something else that was read as JSON, is wrong.
    #[error(transparent)]
    Spec(#[from] runj_spec::Error),
    /// A value of the configuration that cannot be had on this host.
    #[error("{}", unusable(place, value, reason))]
    Unusable {
        /// The JSON path.
        place: String,
        /// The value.
        value: String,
        /// Why it cannot be had, or what is allowed.
        reason: String,
    },
    /// Something that the caller gave and that cannot be had on this host.
    #[error("{}", unusable(input, value, reason))]
    UnusableInput {
        /// What it was given for.
        input: Input,
        /// The value.
        value: String,
        /// Why it cannot be had.
        reason: String,
    },
    /// Something with a file or directory that the caller gave failed.
    #[error("{input}: {path:?}")]
    Input {
        /// What it was given for.
        input: Input,
        /// Its path.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A terminal is asked for, and nobody would serve it.
    #[error("{}", unserved(place, "a console socket"))]
    Unserved {
        /// The JSON path of what asks for it.
        place: String,
    },
    /// More than one thing is wrong.
    #[error("{}", join(.0.iter().map(|error| whole(error))))]
    Several(Vec<Error>),
    /// So many more things are wrong than are said before it.
    #[error("and {0} more")]
    More(usize),
    /// The network cannot be as the configuration asks.
    #[error(transparent)]
    NetworkPlan(#[from] runj_net::Refused),
    /// The network's interfaces could not be set up.
    #[error(transparent)]
    Network(#[from] runj_net::Error),
    /// The kernel refused the jail because of its network.
    #[error(transparent)]
    Refused(#[from] runj_net::Explanation),
    /// A jail was refused.
    #[error(transparent)]
    Jail(#[from] runj_jail::Error),
    /// A file system could not be mounted.
    #[error("{place}: cannot mount {fstype} on {destination:?}: {reason}")]
    Mount {
        /// The JSON path.
        place: String,
        /// The type of file system.
        fstype: String,
        /// Where in the container.
        destination: PathBuf,
        /// What the kernel said.
        reason: String,
    },
    /// A limit cannot be had on this host.
    #[error("{place}")]
    Limit {
        /// The JSON path.
        place: String,
        /// Why not.
        source: runj_jail::Error,
    },
    /// The container's process could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A hook failed.
    #[error("{place}: {path:?}: {reason}")]
    Hook {
        /// The JSON path.
        place: String,
        /// The program.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// Processes of the container do not end although they were killed.
    #[error("container {0}: its processes have not ended 10 seconds after SIGKILL")]
    Unkillable(ContainerId),
    /// A process of the container, among others perhaps, cannot be stopped.
    #[error(
        "container {id}: process {pid} ({name:?}) was not stopped within 10 seconds: others make \
         it go on, or there are new ones all the time"
    )]
    Unstoppable {
        /// The container.
        id: ContainerId,
        /// The process.
        pid: i32,
        /// Its program.
        name: String,
    },
    /// The container's state cannot be understood.
    #[error("{path:?}: not a state that this runj wrote: {reason}")]
    BadState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Not all that the container had done to the host could be undone; `delete` may be repeated.
    #[error("container {id}: not everything could be undone: {}", join(problems.iter().cloned()))]
    Leftovers {
        /// The container.
        id: ContainerId,
        /// What remains, and why.
        problems: Vec<String>,
    },
    /// Something with a file or another thing of the host failed.
    #[error("{what}")]
    Io {
        /// What was being done.
        what: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// Why the container's process, or one more in it, could not be started.
///
/// The texts are those that runc's users, and podman's regular expressions, know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program is nowhere in the path.
    #[error("exec: {0:?}: executable file not found in $PATH")]
    NotFound(String),
    /// The program was found but cannot be executed.
    #[error("exec: {program:?}: {}", exec_reason(*errno))]
    Exec {
        /// The program.
        program: String,
        /// The error number.
        errno: Errno,
    },
    /// A step before it was refused.
    #[error("process.{what}: {value} is not possible: {errno}")]
    Setup {
        /// The property of `process` that was being applied.
        what: &'static str,
        /// Its value.
        value: String,
        /// The error number.
        errno: Errno,
    },
    /// Something that no property of `process` stands for was refused.
    #[error("the container's process: {what}: {errno}")]
    System {
        /// What was being done.
        what: &'static str,
        /// The error number.
        errno: Errno,
    },
    /// The kernel does not let the process, which is traced, keep what it knows from the container.
    #[error(
        "the container's process is traced, and root in the jail could read in it what is the \
         host's: have runj's children not traced (by ktrace -i or truss -f, for instance)"
    )]
    Traced,
    /// The process did not become the container's program in time, and was killed.
    #[error("the container's process was not started within a minute")]
    Stuck,
    /// The process ended before it became the container's program.
    #[error("the container's process ended before it could be started")]
    Died,
}

/// A step that a test has refused, where the kernel's refusal would be told in this way too.
impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::errno("a fault point")(fault.errno())
    }
}

fn exec_reason(errno: Errno) -> String {
    match errno {
        Errno::EACCES => "permission denied".into(),
        Errno::ENOENT => "no such file or directory".into(),
        Errno::ENOEXEC => "exec format error".into(),
        errno => errno.desc().into(),
    }
}

fn unusable(place: &dyn Display, value: &str, reason: &str) -> String {
    format!("{place}: {value} is not allowed: {reason}")
}

fn unserved(place: &str, socket: &str) -> String {
    let reason = format!("without {socket} nobody would have the terminal's other side");
    unusable(&place, "true", &reason)
}

fn alive(id: &ContainerId, status: Status, force: &str) -> String {
    format!(
        "cannot delete container {id}: it is {status}, not stopped ({force} deletes it all the same)"
    )
}

fn join(problems: impl Iterator<Item = String>) -> String {
    problems.collect::<Vec<_>>().join("; ")
}

impl Error {
    /// The most that are kept of what is wrong.
    const MOST: usize = 100;

    /// One error for all of these, of which the first [`MOST`](Self::MOST) are kept and the rest
    /// counted: a list in a configuration can be long.
    pub(crate) fn all(mut errors: Vec<Self>) -> Self {
        let beyond = errors.len().saturating_sub(Self::MOST);
        if beyond > 0 {
            errors.truncate(Self::MOST);
            errors.push(Self::More(beyond));
        }
        match errors.pop() {
            Some(only) if errors.is_empty() => only,
            last => {
                errors.extend(last);
                Self::Several(errors)
            }
        }
    }

    /// The error and its causes in one line. What the caller gave is called what `name` calls it;
    /// with [`Input::name`] the texts are those of [`Display`].
    #[must_use]
    pub fn line(&self, name: &dyn Fn(Input) -> &'static str) -> String {
        match self {
            Self::UnusableInput { input, value, reason } => unusable(&name(*input), value, reason),
            Self::Input { input, path, source } => format!("{}: {path:?}: {source}", name(*input)),
            Self::Unserved { place } => unserved(place, name(Input::ConsoleSocket)),
            Self::Alive { id, status } => alive(id, *status, name(Input::Force)),
            Self::Several(errors) => join(errors.iter().map(|error| error.line(name))),
            other => whole(other),
        }
    }

    /// Each thing that is wrong by itself, in the order in which they were found, as in
    /// [`line`](Self::line).
    ///
    /// The error is one line whatever it is made of; this is for whoever has room for a list.
    #[must_use]
    pub fn each(&self, name: &dyn Fn(Input) -> &'static str) -> Vec<String> {
        match self {
            Self::Several(errors) => errors.iter().flat_map(|error| error.each(name)).collect(),
            Self::Spec(runj_spec::Error::Invalid(problems)) => {
                problems.iter().map(ToString::to_string).collect()
            }
            Self::NetworkPlan(refused) => {
                refused.conflicts().iter().map(ToString::to_string).collect()
            }
            other => vec![other.line(name)],
        }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn input(input: Input, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Input { input, path: path.to_owned(), source }
    }

    pub(crate) fn errno(what: impl Into<String>) -> impl FnOnce(Errno) -> Self {
        let what = what.into();
        move |errno| Self::Io { what, source: errno.into() }
    }
}

/// An error and its causes, in one line.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(input: Input) -> &'static str {
        match input {
            Input::StateDirectory => "--root",
            Input::Bundle => "--bundle",
            Input::ConsoleSocket => "--console-socket",
            Input::PidFile => "--pid-file",
            Input::PreserveFds => "--preserve-fds",
            Input::Force => "--force",
        }
    }

    #[test]
    fn what_the_caller_gave_is_called_as_the_caller_calls_it() {
        let errors = || {
            let (id, value, reason) = ("c".parse().unwrap(), "v".to_owned(), "no".to_owned());
            vec![
                Error::UnusableInput { input: Input::Bundle, value, reason },
                Error::input(Input::PidFile, Path::new("/p"))(io::Error::other("full")),
                Error::Unserved { place: "config.json: process.terminal".into() },
                Error::Alive { id, status: Status::Running },
                Error::io("a file")(io::Error::other("gone")),
            ]
        };
        let own = [
            "bundle: v is not allowed: no",
            "pid file: \"/p\": full",
            "config.json: process.terminal: true is not allowed: without a console socket nobody \
             would have the terminal's other side",
            "cannot delete container c: it is running, not stopped (force deletes it all the same)",
            "a file: gone",
        ];
        let flags = [
            "--bundle: v is not allowed: no",
            "--pid-file: \"/p\": full",
            "config.json: process.terminal: true is not allowed: without --console-socket nobody \
             would have the terminal's other side",
            "cannot delete container c: it is running, not stopped (--force deletes it all the same)",
            "a file: gone",
        ];
        assert_eq!(errors().iter().map(|error| whole(error)).collect::<Vec<_>>(), own);
        assert_eq!(errors().iter().map(|error| error.line(&flag)).collect::<Vec<_>>(), flags);
        let several = Error::all(errors());
        assert_eq!(several.to_string(), own.join("; "));
        assert_eq!(several.line(&flag), flags.join("; "));
        assert_eq!(several.each(&flag), flags);
    }
}
