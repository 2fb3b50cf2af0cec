//! The command line: the one source of the flags and of their help. It follows runc's.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use runj_jail::{JailName, Signal};
use runj_runtime::Runtime;
use runj_spec::ContainerId;

/// Run OCI containers as FreeBSD jails
#[derive(Debug, Parser)]
#[command(name = "runj", version, disable_help_subcommand = true)]
pub(crate) struct Flags {
    /// Where the state of containers is kept
    #[arg(long, value_name = "DIR", default_value = Runtime::DEFAULT_ROOT)]
    pub(crate) root: PathBuf,

    /// Append the log to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,

    /// The form of the log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Log what is being done, too (to standard error if there is no --log)
    #[arg(long)]
    pub(crate) debug: bool,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// time="…" level=… msg="…"
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(Create),
    Delete(Delete),
    Exec(Exec),
    Kill(Kill),
    List(List),
    Run(Run),
    Spec(Spec),
    Start(Start),
    State(State),
}

/// The bundle and what its process is given, for create and run.
#[derive(Debug, Args)]
pub(crate) struct Bundle {
    /// The container's id, unique on this host
    pub(crate) id: ContainerId,

    /// The bundle, instead of --bundle
    #[arg(value_name = "BUNDLE", conflicts_with = "bundle")]
    pub(crate) positional_bundle: Option<PathBuf>,

    /// The bundle: the directory with config.json and, if there is one, runj.ext.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) bundle: PathBuf,

    /// The name of the jail, instead of the id
    #[arg(long, value_name = "NAME")]
    pub(crate) jail_name: Option<JailName>,

    #[command(flatten)]
    pub(crate) io: Io,
}

/// What a process is given beside its configuration.
#[derive(Debug, Args)]
pub(crate) struct Io {
    /// Write the process's pid to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,

    /// Send the terminal to whoever listens at this Unix socket
    #[arg(long, value_name = "SOCKET")]
    pub(crate) console_socket: Option<PathBuf>,

    /// Give the process this many further descriptors, from 3 on
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1024))]
    pub(crate) preserve_fds: u32,
}

impl Io {
    /// What the process is given. Whoever stays with it serves its terminal, unless somebody else
    /// is to.
    pub(crate) fn given(&self, stays: bool) -> runj_runtime::Io {
        runj_runtime::Io::default()
            .console_socket(self.console_socket.clone())
            .relays_terminal(stays && self.console_socket.is_none())
            .pid_file(self.pid_file.clone())
            .preserve_fds(self.preserve_fds)
    }
}

impl Bundle {
    pub(crate) fn directory(&self) -> &PathBuf {
        self.positional_bundle.as_ref().unwrap_or(&self.bundle)
    }
}

/// Create a container from a bundle; its process waits for start
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) bundle: Bundle,
}

/// Create a container, start it and wait for its end; its exit status is ours
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) bundle: Bundle,

    /// Do not wait, and keep the container when it ends
    #[arg(short, long)]
    pub(crate) detach: bool,
}

/// Start the process of a created container
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The container's id
    pub(crate) id: ContainerId,
}

/// Print the state of a container as JSON
#[derive(Debug, Args)]
pub(crate) struct State {
    /// The container's id
    pub(crate) id: ContainerId,
}

/// Send a signal to a container's process
#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// Send it to every process in the container
    #[arg(short, long)]
    pub(crate) all: bool,

    /// The container's id
    pub(crate) id: ContainerId,

    /// The signal, by number or name
    #[arg(default_value = "SIGTERM")]
    pub(crate) signal: Signal,
}

/// Delete a container: its jail, its mounts, its network and its state
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Delete it even if it runs, and do not mind if there is none
    #[arg(short, long)]
    pub(crate) force: bool,

    /// The container's id
    pub(crate) id: ContainerId,
}

/// Run another process in a container
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The process, as the process object of config.json
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["cwd", "env", "user", "command"])]
    pub(crate) process: Option<PathBuf>,

    /// Give the process a terminal
    #[arg(short, long)]
    pub(crate) tty: bool,

    /// Its working directory
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<String>,

    /// A variable of its environment, NAME=VALUE; may be given more than once
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,

    /// Its user and group, by their numbers
    #[arg(short, long, value_name = "UID[:GID]")]
    pub(crate) user: Option<String>,

    /// Do not wait for its end
    #[arg(short, long)]
    pub(crate) detach: bool,

    #[command(flatten)]
    pub(crate) io: Io,

    /// The container's id
    pub(crate) id: ContainerId,

    /// The program and its arguments
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required_unless_present = "process"
    )]
    pub(crate) command: Vec<String>,
}

/// List the containers
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print the ids only
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// The form of the list
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ListFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Write a config.json to start from
#[derive(Debug, Args)]
pub(crate) struct Spec {
    /// The directory to write it to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) bundle: PathBuf,
}
