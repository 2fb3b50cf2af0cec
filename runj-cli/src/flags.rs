//! The command line: the one source of the flags and of their help. It follows runc's.
//!
//! What runc, crun and ocijail have and means nothing to a jail is taken and ignored, since engines
//! give it without asking: [`Ignored`], [`IgnoredAtCreate`].

mod completions;
mod config;
mod demo;
mod doctor;
mod parse;
#[cfg(test)]
pub(crate) mod tests;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use runj_jail::{JailName, Signal};
use runj_runtime::Runtime;
use runj_spec::{ContainerId, OciVersion};

pub(crate) use self::completions::{Completions, Man};
pub(crate) use self::config::{Config, ConfigCheck, ConfigShow};
pub(crate) use self::demo::{Demo, DemoSpec};
pub(crate) use self::doctor::Doctor;
pub(crate) use self::parse::parse;

/// Run OCI containers as FreeBSD jails
#[derive(Debug, Parser)]
#[command(name = Self::NAME, version = VERSION.as_str(), disable_help_subcommand = true)]
pub(crate) struct Flags {
    /// Where the state of containers is kept
    #[arg(long, value_name = "DIR", default_value = Runtime::DEFAULT_ROOT, global = true)]
    pub(crate) root: PathBuf,

    /// Append the log to this file
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) log: Option<PathBuf>,

    /// The form of the log
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub(crate) log_format: LogFormat,

    /// Log what is being done, too (to standard error if there is no --log)
    #[arg(long, global = true)]
    pub(crate) debug: bool,

    #[command(flatten)]
    pub(crate) _ignored: Ignored,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl Flags {
    const NAME: &str = "runj";
}

/// What follows `runj ` in the answer to --version, in the shape of runc's, which engines show as it
/// is.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("version {}\nspec: {}", env!("CARGO_PKG_VERSION"), OciVersion::MAX));

/// What of all verbs of Linux's runtimes means nothing here: there are no cgroups, and there is no
/// jail without root.
#[derive(Debug, Args)]
pub(crate) struct Ignored {
    /// Ignored: there are no cgroups in which systemd could put a jail
    #[arg(long, global = true, hide = true)]
    systemd_cgroup: bool,

    /// Ignored, as --systemd-cgroup
    #[arg(long, value_name = "MANAGER", global = true, hide = true)]
    cgroup_manager: Option<CgroupManager>,

    /// Ignored: a jail takes root
    #[arg(
        long,
        value_name = "WHETHER",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        global = true,
        hide = true
    )]
    rootless: Option<Rootless>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CgroupManager {
    Cgroupfs,
    Disabled,
    Systemd,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Rootless {
    Auto,
    False,
    True,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// time="…" level=… msg="…"
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
// Of all verbs what the help lists is made, and the flags of the one that is given.
#[command(defer = true)]
pub(crate) enum Verb {
    /// Print the completions of this command line for a shell
    Completions(Completions),
    #[command(subcommand)]
    Config(Config),
    /// Create a container from a bundle; its process waits for start
    Create(Create),
    /// Delete a container: its jail, its mounts, its network and its state
    Delete(Delete),
    #[command(subcommand)]
    Demo(Demo),
    /// Tell what this host can do for containers, what it lacks, and the commands that mend it
    ///
    /// The exit status is 0 unless no container can run here at all.
    Doctor(Doctor),
    /// Print what a container uses, as JSON, one line at each interval until it stops
    Events(Events),
    /// Run another process in a container
    Exec(Exec),
    /// Print what this runtime can do as JSON
    Features,
    /// Send a signal to a container's process
    Kill(Kill),
    /// List the containers
    List(List),
    /// Write the man pages of this command line, one for each verb
    Man(Man),
    /// Stop all processes of a container until resume
    Pause(Pause),
    /// List the processes of a container
    Ps(Ps),
    /// Let the processes of a paused container go on
    Resume(Resume),
    /// Create a container, start it and wait for its end; its exit status is ours
    Run(Run),
    /// Write a config.json to start from
    Spec(Spec),
    /// Start the process of a created container
    Start(Start),
    /// Print the state of a container as JSON
    State(State),
    /// Change what a container may use; what is not given stays as it is, and -1 lifts a limit
    Update(Update),
}

// The bundle and what its process is given, for create and run. This is no doc comment, nor are those
// below of what is part of a verb: clap would take it for what the verb does.
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

    #[command(flatten)]
    pub(crate) _ignored: IgnoredAtCreate,
}

// What of create and run of Linux's runtimes means nothing here.
#[derive(Debug, Args)]
pub(crate) struct IgnoredAtCreate {
    /// Ignored: a jail's root is not made with pivot_root(2)
    #[arg(long, hide = true)]
    no_pivot: bool,

    /// Ignored: FreeBSD has no keyrings
    #[arg(long, hide = true)]
    no_new_keyring: bool,
}

// What a process is given beside its configuration.
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

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) bundle: Bundle,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) bundle: Bundle,

    /// Do not wait, and keep the container when it ends
    #[arg(short, long)]
    pub(crate) detach: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The container's id
    pub(crate) id: ContainerId,
}

#[derive(Debug, Args)]
pub(crate) struct State {
    /// The container's id
    pub(crate) id: ContainerId,
}

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

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Delete it even if it runs, and do not mind if there is none
    #[arg(short, long)]
    pub(crate) force: bool,

    /// The container's id
    pub(crate) id: ContainerId,
}

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

#[derive(Debug, Args)]
pub(crate) struct Spec {
    /// The directory to write it to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) bundle: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Print it once
    #[arg(long)]
    pub(crate) stats: bool,

    /// How long to wait between two lines, such as 5s or 500ms
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = interval)]
    pub(crate) interval: Duration,

    /// The container's id
    pub(crate) id: ContainerId,
}

fn interval(text: &str) -> Result<Duration, String> {
    let expected = "expected a time such as 5s or 500ms, of at least a millisecond";
    let time: jiff::SignedDuration = text.parse().map_err(|_| expected)?;
    let time = Duration::try_from(time).map_err(|_| expected)?;
    if time < Duration::from_millis(1) { Err(expected.into()) } else { Ok(time) }
}

#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// The form of the list; json has the pids only
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ListFormat,

    /// The container's id
    pub(crate) id: ContainerId,

    /// Arguments for ps(1), of which -ef is what there is anyway
    #[arg(value_name = "PS_ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The container's id
    pub(crate) id: ContainerId,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The container's id
    pub(crate) id: ContainerId,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The limits as linux.resources of config.json has them, from a file or - for standard input
    #[arg(
        short,
        long,
        value_name = "FILE",
        required_unless_present_any = ["memory", "memory_swap", "cpu_quota", "cpu_period", "cpuset_cpus", "pids_limit"],
        conflicts_with_all = ["memory", "memory_swap", "cpu_quota", "cpu_period", "cpuset_cpus", "pids_limit"]
    )]
    pub(crate) resources: Option<PathBuf>,

    /// Memory, in bytes or with one of the letters k, m, g and t behind the number
    #[arg(short, long, value_name = "BYTES", allow_hyphen_values = true, value_parser = bytes)]
    pub(crate) memory: Option<i64>,

    /// Memory and swap together
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true, value_parser = bytes)]
    pub(crate) memory_swap: Option<i64>,

    /// Time of the processors in each period, in microseconds
    #[arg(long, value_name = "MICROSECONDS", allow_hyphen_values = true)]
    pub(crate) cpu_quota: Option<i64>,

    /// The period, in microseconds
    #[arg(long, value_name = "MICROSECONDS")]
    pub(crate) cpu_period: Option<u64>,

    /// The processors to run on, such as 0-2,5
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_cpus: Option<String>,

    /// Processes
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) pids_limit: Option<i64>,

    /// The container's id
    pub(crate) id: ContainerId,
}

/// A number of bytes as runc takes it, where each letter is 1024 of the one before.
fn bytes(text: &str) -> Result<i64, String> {
    let expected = || "expected a number of bytes such as 512m, or -1".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase();
    let power = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" => 1,
        "m" | "mb" => 2,
        "g" | "gb" => 3,
        "t" | "tb" => 4,
        _ => return Err(expected()),
    };
    let number: i64 = digits.parse().map_err(|_| expected())?;
    number.checked_mul(1 << (10 * power)).ok_or_else(expected)
}
