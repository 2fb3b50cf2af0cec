//! Runtimes, and how they are called.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result, bail, ensure};
use bench_report::FLOOR;
use runj_jail::ProcessId;

use crate::bundle::{Bundles, Life, PROGRAM};
use crate::host;

/// How long a container's program may take to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a runtime is called, and what it expects of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The floor, which is told the program and reads no bundle.
    Floor,
    /// runj, and ocijail, which is called in the same way.
    Runj,
    /// runc and those that take its place.
    Linux,
    /// The runj that is written in Go: no `--root`, no `list`, and `exec` is an extension.
    GoRunj,
}

/// `NAME=PROGRAM`.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    name: String,
    program: PathBuf,
}

impl FromStr for Named {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, program) = text.split_once('=').context("expected NAME=PROGRAM")?;
        Ok(Self { name: name.to_owned(), program: program.into() })
    }
}

/// A runtime that is measured.
#[derive(Debug)]
pub(crate) struct Contender {
    name: String,
    dialect: Dialect,
    program: PathBuf,
    root: PathBuf,
}

/// The verbs of a lifecycle, each by how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifecycle {
    pub(crate) create: Duration,
    pub(crate) start: Duration,
    pub(crate) state: Duration,
    pub(crate) delete: Duration,
}

impl Lifecycle {
    pub(crate) fn whole(self) -> Duration {
        self.create + self.start + self.state + self.delete
    }
}

impl Contender {
    pub(crate) fn floor(program: &Path, state: &Path) -> Result<Self> {
        Self::new(FLOOR, Dialect::Floor, program, state)
    }

    pub(crate) fn runtime(named: &Named, state: &Path) -> Result<Self> {
        let kind = named.name.split(':').next().unwrap_or_default();
        let dialect = match kind {
            "runj" | "ocijail" => Dialect::Runj,
            "runc" | "crun" | "youki" => Dialect::Linux,
            "runj-go" => Dialect::GoRunj,
            _ => bail!("--runtime: {kind:?}: nobody knows how it is called"),
        };
        Self::new(&named.name, dialect, &named.program, state)
    }

    fn new(name: &str, dialect: Dialect, program: &Path, state: &Path) -> Result<Self> {
        let root = state.join(name);
        fs::create_dir_all(&root)?;
        let program = program.canonicalize().with_context(|| format!("{}", program.display()))?;
        Ok(Self { name: name.to_owned(), dialect, program, root })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Whether it is ours: it has to run here, and is known to need little memory.
    pub(crate) fn is_ours(&self) -> bool {
        self.dialect == Dialect::Floor || self.name.split(':').next() == Some("runj")
    }

    /// Whether it can list its containers.
    pub(crate) fn lists(&self) -> bool {
        self.dialect != Dialect::GoRunj
    }

    /// For the report.
    pub(crate) fn description(&self) -> Result<bench_report::Contender> {
        let output = Command::new(&self.program).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(bench_report::Contender {
            name: self.name.clone(),
            version: text.lines().next().unwrap_or_default().to_owned(),
            bytes: fs::metadata(&self.program)?.len(),
        })
    }

    /// What it is called with, behind the program's name.
    pub(crate) fn arguments(&self, verb: &[&str]) -> Vec<String> {
        let root = match self.dialect {
            Dialect::GoRunj => vec![],
            _ => vec!["--root".to_owned(), self.root.display().to_string()],
        };
        root.into_iter().chain(verb.iter().map(|&word| word.to_owned())).collect()
    }

    /// What `create` is called with.
    pub(crate) fn create(&self, bundles: &Bundles, life: Life, id: &str) -> Result<Vec<String>> {
        let bundle = bundles.bundle(self.dialect, life, id)?;
        let bundle = bundle.display().to_string();
        let pid_file = self.pid_file(id).display().to_string();
        let mut verb = vec!["create", "--bundle", &bundle, "--pid-file", &pid_file, id];
        if self.dialect == Dialect::Floor {
            verb.extend(["--", PROGRAM, life.argument()]);
        }
        Ok(self.arguments(&verb))
    }

    /// What `exec` is called with, of a program that ends at once.
    pub(crate) fn exec(&self, bundles: &Bundles, id: &str) -> Vec<String> {
        let process = bundles.process().display().to_string();
        match self.dialect {
            Dialect::Floor => self.arguments(&["exec", id, "--", PROGRAM, "exit"]),
            Dialect::GoRunj => self.arguments(&["extension", "exec", "--process", &process, id]),
            _ => self.arguments(&["exec", "--process", &process, id]),
        }
    }

    fn pid_file(&self, id: &str) -> PathBuf {
        self.root.with_extension(format!("{id}.pid"))
    }

    /// Calls it and waits for its end; how long that took.
    pub(crate) fn call(&self, arguments: &[String], id: &str) -> Result<Duration> {
        // A file, since what is left of the call, a container's process, may hold it open.
        let errors = self.root.with_extension(format!("{id}.errors"));
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(&errors)?);
        let begun = Instant::now();
        let status = command.status().with_context(|| format!("{}", self.program.display()))?;
        let time = begun.elapsed();
        ensure!(
            status.success(),
            "{} {}: {status}: {}",
            self.program.display(),
            arguments.join(" "),
            fs::read_to_string(&errors)?.trim_end()
        );
        Ok(time)
    }

    /// A verb that takes nothing but the id.
    pub(crate) fn verb(&self, verb: &str, id: &str) -> Result<Duration> {
        self.call(&self.arguments(&[verb, id]), id)
    }

    /// Creates and starts a container whose program waits.
    pub(crate) fn launch(&self, bundles: &Bundles, id: &str) -> Result<()> {
        self.call(&self.create(bundles, Life::Waits, id)?, id)?;
        self.verb("start", id)?;
        Ok(())
    }

    /// Kills such a container and waits for its program's end; how long the kill took.
    pub(crate) fn kill(&self, id: &str) -> Result<Duration> {
        let time = self.call(&self.arguments(&["kill", id, "KILL"]), id)?;
        self.wait(id)?;
        Ok(time)
    }

    /// The same, and deletes it.
    pub(crate) fn end(&self, id: &str) -> Result<Duration> {
        let time = self.kill(id)?;
        self.verb("delete", id)?;
        Ok(time)
    }

    /// A whole lifecycle of a container whose program ends at once.
    pub(crate) fn lifecycle(&self, bundles: &Bundles, id: &str) -> Result<Lifecycle> {
        let create = self.call(&self.create(bundles, Life::Exits, id)?, id)?;
        let start = self.verb("start", id)?;
        let state = self.verb("state", id)?;
        self.wait(id)?;
        let delete = self.verb("delete", id)?;
        Ok(Lifecycle { create, start, state, delete })
    }

    /// Waits until the container's process has ended.
    fn wait(&self, id: &str) -> Result<()> {
        let pid = fs::read_to_string(self.pid_file(id))?.trim().parse()?;
        if let Some(process) = ProcessId::of(pid)? {
            ensure!(process.wait(PATIENCE)?, "{}: {id} does not end", self.name);
        }
        host::collect(pid);
        Ok(())
    }
}
