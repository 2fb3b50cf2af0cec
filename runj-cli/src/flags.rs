//! The command line: the one source of the flags and of their help. It follows runc's.
//!
//! What runc, crun and ocijail have and means nothing to a jail is taken and ignored, since engines
//! give it without asking: [`Ignored`], [`IgnoredAtCreate`].

mod completions;
mod config;
mod demo;
mod doctor;
mod input;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use runj_flags::{choices, command, expected, number, path, verbs};
use runj_jail::{JailName, Signal};
use runj_runtime::Runtime;
use runj_spec::{ContainerId, OciVersion};

pub(crate) use self::completions::{Completions, Man};
pub(crate) use self::config::{Config, ConfigCheck, ConfigShow, ConfigVerb};
pub(crate) use self::demo::{Demo, DemoSpec, DemoVerb};
pub(crate) use self::doctor::Doctor;

command! {
    /// Run OCI containers as FreeBSD jails
    pub(crate) struct Flags = "runj" {
        /// Where the state of containers is kept
        pub(crate) root: PathBuf =
            value("root", "DIR").default(Runtime::DEFAULT_ROOT).everywhere().path() => path,
        /// Append the log to this file
        pub(crate) log: Option<PathBuf> = optional("log", "FILE").everywhere().path() => path,
        /// The form of the log
        pub(crate) log_format: LogFormat =
            value("log-format", "FORMAT").choices(LogFormat::CHOICES).default("text").everywhere(),
        /// Log what is being done, too (to standard error if there is no --log)
        pub(crate) debug: bool = switch("debug").everywhere(),
        pub(crate) ignored: Ignored = part(),
        pub(crate) verb: Verb = part(),
    }
}

/// The answer to --version, in the shape of runc's, which engines show as it is.
pub(crate) fn version() -> String {
    format!("runj version {}\nspec: {}", env!("CARGO_PKG_VERSION"), OciVersion::MAX)
}

command! {
    /// What of all verbs of Linux's runtimes means nothing here: there are no cgroups, and there is
    /// no jail without root.
    pub(crate) struct Ignored {
        /// Ignored: there are no cgroups in which systemd could put a jail
        systemd_cgroup: bool = switch("systemd-cgroup").everywhere().hidden(),
        /// Ignored, as --systemd-cgroup
        cgroup_manager: Option<CgroupManager> =
            optional("cgroup-manager", "MANAGER").choices(CgroupManager::CHOICES).everywhere().hidden(),
        /// Ignored: a jail takes root
        rootless: Option<Rootless> =
            attached("rootless", "WHETHER", "true").choices(Rootless::CHOICES).everywhere().hidden(),
    }
}

choices! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum CgroupManager {
        Cgroupfs = "cgroupfs",
        Disabled = "disabled",
        Systemd = "systemd",
    }
}

choices! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Rootless {
        Auto = "auto",
        False = "false",
        True = "true",
    }
}

choices! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum LogFormat {
        /// time="…" level=… msg="…"
        Text = "text",
        /// One JSON object a line
        Json = "json",
    }
}

verbs! {
    pub(crate) enum Verb {
        Completions(Completions),
        Config(Config),
        Create(Create),
        Delete(Delete),
        Demo(Demo),
        Doctor(Doctor),
        Events(Events),
        Exec(Exec),
        Features(Features),
        Kill(Kill),
        List(List),
        Man(Man),
        Pause(Pause),
        Ps(Ps),
        Resume(Resume),
        Run(Run),
        Spec(Spec),
        Start(Start),
        State(State),
        Update(Update),
    }
}

command! {
    /// The bundle and what its process is given, for create and run
    pub(crate) struct Bundle {
        /// The container's id, unique on this host
        pub(crate) id: ContainerId = operand("ID"),
        /// The bundle, instead of --bundle
        pub(crate) positional_bundle: Option<PathBuf> =
            optional_operand("BUNDLE").instead_of(&["bundle"]).path() => path,
        /// The bundle: the directory with config.json and, if there is one, runj.ext.json
        pub(crate) bundle: PathBuf = value("bundle", "DIR").short('b').default(".").path() => path,
        /// The name of the jail, instead of the id
        pub(crate) jail_name: Option<JailName> = optional("jail-name", "NAME"),
        pub(crate) io: Io = part(),
        pub(crate) ignored: IgnoredAtCreate = part(),
    }
}

command! {
    /// What of create and run of Linux's runtimes means nothing here
    pub(crate) struct IgnoredAtCreate {
        /// Ignored: a jail's root is not made with pivot_root(2)
        no_pivot: bool = switch("no-pivot").hidden(),
        /// Ignored: FreeBSD has no keyrings
        no_new_keyring: bool = switch("no-new-keyring").hidden(),
    }
}

command! {
    /// What a process is given beside its configuration
    pub(crate) struct Io {
        /// Write the process's pid to this file
        pub(crate) pid_file: Option<PathBuf> = optional("pid-file", "FILE").path() => path,
        /// Send the terminal to whoever listens at this Unix socket
        pub(crate) console_socket: Option<PathBuf> = optional("console-socket", "SOCKET").path() => path,
        /// Give the process this many further descriptors, from 3 on
        pub(crate) preserve_fds: u32 = value("preserve-fds", "N").default("0") => descriptors,
    }
}

fn descriptors(word: &OsStr) -> Result<u32, String> {
    let number = number(word).ok().filter(|number| *number <= 1024);
    number.ok_or_else(|| expected(word, "a number from 0 to 1024"))
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

command! {
    /// Create a container from a bundle; its process waits for start
    pub(crate) struct Create = "create" {
        pub(crate) bundle: Bundle = part(),
    }
}

command! {
    /// Create a container, start it and wait for its end; its exit status is ours
    pub(crate) struct Run = "run" {
        pub(crate) bundle: Bundle = part(),
        /// Do not wait, and keep the container when it ends
        pub(crate) detach: bool = switch("detach").short('d'),
    }
}

command! {
    /// Start the process of a created container
    pub(crate) struct Start = "start" {
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

command! {
    /// Print the state of a container as JSON
    pub(crate) struct State = "state" {
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

command! {
    /// Send a signal to a container's process
    pub(crate) struct Kill = "kill" {
        /// Send it to every process in the container
        pub(crate) all: bool = switch("all").short('a'),
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
        /// The signal, by number or name
        pub(crate) signal: Signal = operand("SIGNAL").default("SIGTERM"),
    }
}

command! {
    /// Delete a container: its jail, its mounts, its network and its state
    pub(crate) struct Delete = "delete" {
        /// Delete it even if it runs, and do not mind if there is none
        pub(crate) force: bool = switch("force").short('f'),
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

command! {
    /// Run another process in a container
    pub(crate) struct Exec = "exec" {
        /// The process, as the process object of config.json
        pub(crate) process: Option<PathBuf> = optional("process", "FILE")
            .short('p')
            .instead_of(&["cwd", "env", "user", "COMMAND"]).path() => path,
        /// Give the process a terminal
        pub(crate) tty: bool = switch("tty").short('t'),
        /// Its working directory
        pub(crate) cwd: Option<String> = optional("cwd", "DIR"),
        /// A variable of its environment, NAME=VALUE; may be given more than once
        pub(crate) env: Vec<String> = repeated("env", "NAME=VALUE").short('e'),
        /// Its user and group, by their numbers
        pub(crate) user: Option<String> = optional("user", "UID[:GID]").short('u'),
        /// Do not wait for its end
        pub(crate) detach: bool = switch("detach").short('d'),
        pub(crate) io: Io = part(),
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
        /// The program and its arguments
        pub(crate) command: Vec<String> = trailing("COMMAND").unless(&["process"]),
    }
}

command! {
    /// Print what this runtime can do as JSON
    pub(crate) struct Features = "features" {}
}

command! {
    /// List the containers
    pub(crate) struct List = "list" {
        /// Print the ids only
        pub(crate) quiet: bool = switch("quiet").short('q'),
        /// The form of the list
        pub(crate) format: ListFormat =
            value("format", "FORMAT").short('f').choices(ListFormat::CHOICES).default("table"),
    }
}

choices! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum ListFormat {
        /// For people
        Table = "table",
        /// For programs
        Json = "json",
    }
}

command! {
    /// Write a config.json to start from
    pub(crate) struct Spec = "spec" {
        /// The directory to write it to
        pub(crate) bundle: PathBuf = value("bundle", "DIR").short('b').default(".").path() => path,
    }
}

command! {
    /// Print what a container uses, as JSON, one line at each interval until it stops
    pub(crate) struct Events = "events" {
        /// Print it once
        pub(crate) stats: bool = switch("stats"),
        /// How long to wait between two lines, such as 5s or 500ms
        pub(crate) interval: Duration = value("interval", "TIME").default("5s") => interval,
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

fn interval(word: &OsStr) -> Result<Duration, String> {
    let time = word.to_str().and_then(|text| humantime::parse_duration(text).ok());
    time.filter(|time| (Duration::from_millis(1)..=Duration::from_hours(24)).contains(time))
        .ok_or_else(|| expected(word, "a time such as 5s or 500ms, from a millisecond to a day"))
}

command! {
    /// List the processes of a container
    pub(crate) struct Ps = "ps" {
        /// The form of the list; json has the pids only
        pub(crate) format: ListFormat =
            value("format", "FORMAT").short('f').choices(ListFormat::CHOICES).default("table"),
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
        /// Options for ps(1), of which -ef is what there is anyway
        pub(crate) options: Vec<String> = trailing("PS_OPTIONS").verbatim(),
    }
}

command! {
    /// Stop all processes of a container until resume
    pub(crate) struct Pause = "pause" {
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

command! {
    /// Let the processes of a paused container go on
    pub(crate) struct Resume = "resume" {
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

/// The flags of update that are single limits.
const LIMITS: &[&str] =
    &["memory", "memory-swap", "cpu-quota", "cpu-period", "cpuset-cpus", "pids-limit"];

command! {
    /// Change what a container may use; what is not given stays as it is, and -1 lifts a limit
    pub(crate) struct Update = "update" {
        /// The limits as linux.resources of config.json has them, from a file or - for standard input
        pub(crate) resources: Option<PathBuf> =
            optional("resources", "FILE").short('r').instead_of(LIMITS).unless(LIMITS).path() => path,
        /// Memory, in bytes or with one of the letters k, m, g and t behind the number
        pub(crate) memory: Option<i64> = optional("memory", "BYTES").short('m') => bytes,
        /// Memory and swap together
        pub(crate) memory_swap: Option<i64> = optional("memory-swap", "BYTES") => bytes,
        /// Time of the processors in each period, in microseconds
        pub(crate) cpu_quota: Option<i64> = optional("cpu-quota", "MICROSECONDS") => number,
        /// The period, in microseconds
        pub(crate) cpu_period: Option<u64> = optional("cpu-period", "MICROSECONDS") => number,
        /// The processors to run on, such as 0-2,5
        pub(crate) cpuset_cpus: Option<String> = optional("cpuset-cpus", "LIST"),
        /// Processes
        pub(crate) pids_limit: Option<i64> = optional("pids-limit", "N") => number,
        /// The container's id
        pub(crate) id: ContainerId = operand("ID"),
    }
}

/// A number of bytes as runc takes it, where each letter is 1024 of the one before.
fn bytes(word: &OsStr) -> Result<i64, String> {
    word.to_str()
        .and_then(in_bytes)
        .ok_or_else(|| expected(word, "a number of bytes such as 512m, or -1"))
}

fn in_bytes(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase();
    let power = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" => 1,
        "m" | "mb" => 2,
        "g" | "gb" => 3,
        "t" | "tb" => 4,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(1 << (10 * power))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use runj_flags::Command as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        assert_eq!(runj_flags::flaws(Flags::COMMAND), [""; 0]);
    }

    /// As few words as each verb takes, so that every default is.
    #[test]
    fn every_default_is_one_of_its_type() {
        let lines = [
            "completions bash",
            "config check",
            "config show",
            "create c",
            "delete c",
            "demo download",
            "demo oci-image",
            "demo spec",
            "doctor",
            "events c",
            "exec c sh",
            "features",
            "kill c",
            "list",
            "man d",
            "pause c",
            "ps c",
            "resume c",
            "run c",
            "spec",
            "start c",
            "state c",
            "update --memory 1 c",
        ];
        for line in lines {
            let words = line.split(' ').map(OsString::from);
            runj_flags::parse::<Flags>(words).unwrap();
        }
        for verb in Flags::COMMAND.verbs() {
            assert!(lines.iter().any(|line| line.starts_with(verb.name)), "{}", verb.name);
        }
    }
}
