//! `create`: a bundle becomes a container whose process waits.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::geteuid;
use runj_faults::{Point, at};
use runj_jail::{Jail, JailName, Params, ProcessId};
use runj_net::Journal;
use runj_spec::{Bundle, Container, ContainerId, Hooks, Process};

use crate::console::Console;
use crate::error::{Error, ProcessError};
use crate::hooks;
use crate::input::Input;
use crate::io::Io;
use crate::ledger::Deed;
use crate::limits::{self, Limits};
use crate::mounts::{self, MountPlan, Roots};
use crate::params;
use crate::pid_file::PidFile;
use crate::process;
use crate::record::{Phase, Record};
use crate::rfc3339;
use crate::runtime::{Runtime, Started, process_of};
use crate::state;
use crate::status::Status;
use crate::store::Locked;
use crate::sys::{self, Entry, Gate};
use crate::teardown;

/// How a container is to be created.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    bundle: PathBuf,
    io: Io,
    jail_name: Option<JailName>,
}

impl CreateOptions {
    /// A container from the bundle in that directory.
    #[must_use]
    pub fn new(bundle: impl Into<PathBuf>) -> Self {
        Self { bundle: bundle.into(), io: Io::default(), jail_name: None }
    }

    /// Gives its process that. The pid file is written once the container is created.
    #[must_use]
    pub fn io(mut self, io: Io) -> Self {
        self.io = io;
        self
    }

    /// Gives the jail this name, below its parent's if it has one, instead of the id. For engines
    /// that have more than one container of the same id.
    #[must_use]
    pub fn jail_name(mut self, name: Option<JailName>) -> Self {
        self.jail_name = name;
        self
    }
}

/// Everything about the container, decided and checked before the host is touched.
pub(crate) struct Plan {
    bundle: Bundle,
    container: Container,
    process: Process,
    root: PathBuf,
    jail_name: JailName,
    mounts: Vec<MountPlan>,
    limits: Limits,
    network: runj_net::Plan,
}

impl Runtime {
    /// Creates a container. Its process exists afterwards and waits for [`start`](Self::start).
    ///
    /// While a mount is made on FreeBSD, the working directory of the calling process is another
    /// one, since nmount(2) takes no descriptor: no other thread may change it or rely on it.
    ///
    /// # Errors
    ///
    /// When the bundle asks for what cannot be had, or a step fails. Then nothing is left.
    pub fn create(&self, id: &ContainerId, options: &CreateOptions) -> Result<Started, Error> {
        let plan = Plan::new(id, options)?;
        if !geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        let mut container = self.store.create(id)?;
        match build(&plan, options, &mut container) {
            Ok(started) => Ok(started),
            Err(error) => {
                let poststop = &plan.container.hooks.poststop;
                // The specification wants these when a hook has failed, and not otherwise.
                let record = match &error {
                    Error::Hook { .. } if !poststop.is_empty() => container.directory().read()?,
                    _ => None,
                };
                teardown::after_failure(container);
                if let Some(record) = record {
                    let state = state::build(&record, Status::Stopped);
                    hooks::run_and_warn("poststop", poststop, &state);
                }
                Err(error)
            }
        }
    }
}

impl Plan {
    /// Decides about everything. Of what is wrong not only the first is found, but all that can be.
    pub(crate) fn new(id: &ContainerId, options: &CreateOptions) -> Result<Self, Error> {
        let directory = options.bundle.canonicalize().map_err(|error| Error::UnusableInput {
            input: Input::Bundle,
            value: format!("{:?}", options.bundle),
            reason: error.to_string(),
        })?;
        let bundle = Bundle::load(&directory)?;
        let container = bundle.container()?;
        limits::warn_of_others(&container.resources, "config.json: linux.resources.");

        let mut problems = Vec::new();
        let process = noted(process_of(&container), &mut problems);
        if let Some(process) = &process {
            noted(options.io.check(process, "config.json: process"), &mut problems);
        }
        noted(params::check(&container), &mut problems);
        let root = noted(root(&container, &directory), &mut problems);
        let mounts =
            noted(mounts::plan(&container.mounts, &container.devices, &directory), &mut problems);
        let resolv_conf = noted(mounts::resolv_conf(&container), &mut problems);
        let limits = noted(Limits::of(&container), &mut problems);
        let network = noted(runj_net::plan(&container.jail).map_err(Error::from), &mut problems);
        let jail_name = noted(name(id, &container, options), &mut problems);
        match (process, root, mounts, resolv_conf, limits, network, jail_name) {
            (
                Some(process),
                Some(root),
                Some(mut mounts),
                Some(resolv_conf),
                Some(limits),
                Some(network),
                Some(jail_name),
            ) if problems.is_empty() => {
                // Last, since another may bring the directory that it goes into.
                mounts.extend(resolv_conf);
                Ok(Self { bundle, container, process, root, jail_name, mounts, limits, network })
            }
            _ => Err(Error::all(problems)),
        }
    }
}

/// What there is of `result`; an error is put to the others.
fn noted<T>(result: Result<T, Error>, problems: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| problems.push(error)).ok()
}

/// The container's root on the host, absolute and free of links.
fn root(container: &Container, bundle: &Path) -> Result<PathBuf, Error> {
    let path = bundle.join(&container.root.path);
    let unusable = |reason: String| Error::Unusable {
        place: "config.json: root.path".into(),
        value: format!("{path:?}"),
        reason,
    };
    let root = path.canonicalize().map_err(|error| unusable(error.to_string()))?;
    if !root.is_dir() {
        return Err(unusable("expected a directory".into()));
    }
    if root == Path::new("/") {
        return Err(unusable("the host's own root cannot be a container's".into()));
    }
    Ok(root)
}

/// The name of the container's jail, below that of its parent if it has one.
fn name(
    id: &ContainerId,
    container: &Container,
    options: &CreateOptions,
) -> Result<JailName, Error> {
    let unusable = |place: String, value: &str, error: runj_jail::BadJailName| Error::Unusable {
        place,
        value: format!("{value:?}"),
        reason: error.to_string(),
    };
    let own = match &options.jail_name {
        Some(name) => name.clone(),
        None => id
            .jail_name()
            .parse()
            .map_err(|error| unusable("container id".into(), id.as_ref(), error))?,
    };
    let Some(parent) = &container.jail.parent else { return Ok(own) };
    let bad = |error| unusable(parent.origin.to_string(), &parent.value, error);
    let name: JailName = parent.value.parse().map_err(bad)?;
    name.child(own.as_str()).map_err(bad)
}

/// Builds the container step by step; what is done to the host is written down before.
fn build(plan: &Plan, options: &CreateOptions, container: &mut Locked) -> Result<Started, Error> {
    let read_only = plan.container.root.readonly;
    let directory = container.directory().clone();
    let jail_path = if read_only { directory.read_only_root() } else { plan.root.clone() };
    let mut record = Record {
        version: Record::VERSION,
        id: directory.id().clone(),
        oci_version: plan.container.oci_version.to_string(),
        bundle: plan.bundle.dir.clone(),
        created: rfc3339::now(),
        phase: Phase::Creating,
        paused: false,
        annotations: plan.container.annotations.clone(),
        later_hooks: has_later_hooks(&plan.container.hooks),
        root: plan.root.clone(),
        jail_path: jail_path.clone(),
        jail_name: plan.jail_name.to_string(),
        jid: None,
        init: None,
        boot: sys::boot_id().to_owned(),
    };
    keep_configuration(&plan.bundle, container)?;
    container.write(&record)?;
    // Whoever puts a copy there later sees our record.
    mounts::refuse_copies_of_others(&plan.root, container)?;

    mounts::prepare(&plan.mounts, &plan.root, container)?;
    if read_only {
        mounts::mount_read_only(&plan.root, &jail_path, container)?;
    }
    plan.network.prepare(container)?;
    let jail = create_jail(plan, &jail_path, container)?;
    record.jid = Some(jail.jid().as_raw());
    plan.limits.apply(jail, container)?;
    let roots = Roots { jail: &jail_path, written: &plan.root };
    mounts::mount_all(&plan.mounts, roots, jail, container)?;
    plan.network.furnish(jail, container)?;

    if may_mount(&plan.container) {
        let below = mounts::below(&jail_path).map_err(Error::errno("the mounts"))?;
        let before = below.into_iter().map(|mount| mount.id).collect();
        container.record(&Deed::OwnMounts { before })?;
    }
    let pid_file = options.io.pid_file.as_deref().map(PidFile::prepare).transpose()?;
    let (started, init) = start_init(plan, options, jail, &mut record, container)?;

    let hooks = &plan.container.hooks;
    if has_hooks(plan) {
        let state = state::build(&record, Status::Creating);
        hooks::run_all("prestart", &hooks.prestart, None, &state, container)?;
        hooks::run_all("createRuntime", &hooks.create_runtime, None, &state, container)?;
        // Programs of the host, and as near to the container as these can come: in its root.
        let (kind, hooks) = ("createContainer", &hooks.create_container);
        hooks::run_all(kind, hooks, Some(&jail_path), &state, container)?;
        record.phase = Phase::Created;
        container.write(&record)?;
    }
    // Only now, since a hook may have put the program there.
    init.enter(&plan.process)?;
    if let Some(file) = pid_file {
        file.write(started.pid)?;
    }
    Ok(started)
}

/// Whether the container can mount file systems by itself (jail(8), `allow.mount`).
fn may_mount(container: &Container) -> bool {
    let mounting = |parameter: &str| parameter == "mount" || parameter.starts_with("mount.");
    container.jail.allow.iter().any(|(parameter, on)| mounting(parameter.as_ref()) && on.value)
}

/// Keeps the configuration as it is now; the bundle may change.
pub(crate) fn keep_configuration(bundle: &Bundle, container: &Locked) -> Result<(), Error> {
    let json =
        |error| Error::io("the configuration")(std::io::Error::other::<serde_json::Error>(error));
    container.put("config.json", &serde_json::to_vec(&bundle.config).map_err(json)?)?;
    if let Some(extension) = &bundle.extension {
        container.put("runj.ext.json", &serde_json::to_vec(extension).map_err(json)?)?;
    }
    Ok(())
}

/// Makes the jail, first under a name that no other jail has: should we be killed before we know
/// its jid, it is by that name that it is found and told from somebody else's.
fn create_jail(plan: &Plan, path: &Path, container: &mut Locked) -> Result<Jail, Error> {
    let provisional = provisional_name(&plan.jail_name)?;
    let network = plan.network.params();
    let ruleset = mounts::ruleset(&plan.mounts);
    let mut params = Params::new().string("name", provisional.as_str());
    params.extend(params::params(&plan.container, path, network, ruleset)?);
    container.record(&Deed::Jail { name: provisional.to_string() })?;
    let mut with_defaults = params.clone();
    with_defaults.extend(params::defaults(&plan.container.jail));
    let refused = |error| match plan.network.explain(&error) {
        Some(explanation) => Error::Refused(explanation),
        None => Error::Jail(error),
    };
    at(Point::CreateJail)?;
    // What nobody asked for must not be what it fails for.
    let jail = Jail::create(&with_defaults).or_else(|_| Jail::create(&params)).map_err(refused)?;
    container.record(&Deed::JailMade { jid: jail.jid().as_raw() })?;
    let name = plan.jail_name.as_str();
    at(Point::NameJail)?;
    jail.update(&Params::new().string("name", name)).map_err(|error| match error.errno() {
        Some(Errno::EEXIST) => Error::Unusable {
            place: "jail name".into(),
            value: format!("{name:?}"),
            reason: "there is a jail of that name already".into(),
        },
        _ => Error::Jail(error),
    })?;
    Ok(jail)
}

/// A name for a sibling of `name` that no other jail has, in this boot of the host: a pid is no
/// other process's at that time.
fn provisional_name(name: &JailName) -> Result<JailName, Error> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id();
    let since_boot = clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(Error::errno("the clock"))?;
    let nanoseconds = Duration::from(since_boot).as_nanos();
    let own = format!("runj%{pid}%{nanoseconds}%{count}");
    let made = match name.parent() {
        Some(parent) => parent.child(&own),
        None => own.parse(),
    };
    made.map_err(|error| Error::Unusable {
        place: "jail name".into(),
        value: format!("{:?}", name.as_str()),
        reason: error.to_string(),
    })
}

/// The container's process, which waits to be told to enter the jail.
struct Outside {
    process: ProcessId,
    line: UnixStream,
}

impl Outside {
    /// Has it enter the jail and become all that it can be before it is started.
    fn enter(mut self, process: &Process) -> Result<(), Error> {
        at(Point::LetEnter)?;
        // One that has ended may have said why.
        let _ = self.line.write_all(&[1]);
        process::outcome(self.line, process, Some(self.process))
    }
}

/// Forks the container's process and puts it on record. It ends when we do, until it is told to enter
/// the jail.
fn start_init(
    plan: &Plan,
    options: &CreateOptions,
    jail: Jail,
    record: &mut Record,
    container: &Locked,
) -> Result<(Started, Outside), Error> {
    let socket = container.directory().start_socket();
    at(Point::Listen)?;
    let listener = sys::listen(&socket).map_err(Error::errno(format!("{socket:?}")))?;
    let waiting = container.directory().start_lock()?.into();
    let (creator, line) = process::report_pair()?;
    let gate = Gate::Wait { creator, listener, waiting };
    let place = "config.json: process";
    let console = Console::of(&plan.process, options.io.serves_terminal())?;
    let entry = process::entry(
        &plan.process,
        place,
        jail,
        &record.jail_path,
        gate,
        &console,
        options.io.preserve_fds,
    )?;
    // The container will be that when they run.
    let state = state::build(record, Status::Created);
    let start_hooks = hooks::prepare(&plan.container.hooks.start_container, state)?;
    let entry = Entry { start_hooks, ..entry };
    let terminal = console.hand_over(options.io.socket())?;
    let pid = entry.spawn()?;
    match put_on_record(pid, plan, record, container) {
        Ok(process) => Ok((Started { pid, terminal }, Outside { process, line })),
        Err(error) => {
            // It waits for word from us and ends when there is none.
            drop((entry, line));
            sys::collect(pid);
            Err(error)
        }
    }
}

fn put_on_record(
    pid: i32,
    plan: &Plan,
    record: &mut Record,
    container: &Locked,
) -> Result<ProcessId, Error> {
    at(Point::Identify)?;
    let init = ProcessId::of(pid)?.ok_or(ProcessError::Died)?;
    record.init = Some(init.into());
    if !has_hooks(plan) {
        record.phase = Phase::Created;
    }
    container.write(record)?;
    Ok(init)
}

fn has_hooks(plan: &Plan) -> bool {
    let hooks = &plan.container.hooks;
    [&hooks.prestart, &hooks.create_runtime, &hooks.create_container]
        .iter()
        .any(|hooks| !hooks.is_empty())
}

fn has_later_hooks(hooks: &Hooks) -> bool {
    [&hooks.start_container, &hooks.poststart, &hooks.poststop]
        .iter()
        .any(|hooks| !hooks.is_empty())
}

impl Journal for Locked {
    fn record(
        &mut self,
        deed: runj_net::Deed,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Locked::record(self, &Deed::Network(deed)).map_err(Into::into)
    }
}
