//! `create`: a bundle becomes a container whose process waits.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use nix::errno::Errno;
use nix::unistd::geteuid;
use runj_jail::{Jail, JailName, Params, ProcessId};
use runj_net::Journal;
use runj_spec::{Bundle, Container, ContainerId, Process};

use crate::console::Console;
use crate::error::{Error, ProcessError};
use crate::hooks;
use crate::io::Io;
use crate::ledger::Deed;
use crate::mounts::{self, MountPlan};
use crate::params;
use crate::pid_file::PidFile;
use crate::process;
use crate::record::{Phase, Record};
use crate::runtime::{Runtime, Started, process_of};
use crate::state;
use crate::status::Status;
use crate::store::Locked;
use crate::sys::{self, Gate};
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
struct Plan {
    bundle: Bundle,
    container: Container,
    process: Process,
    root: PathBuf,
    jail_name: JailName,
    mounts: Vec<MountPlan>,
    network: runj_net::Plan,
}

impl Runtime {
    /// Creates a container. Its process exists afterwards and waits for [`start`](Self::start).
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
                teardown::after_failure(container);
                Err(error)
            }
        }
    }
}

impl Plan {
    fn new(id: &ContainerId, options: &CreateOptions) -> Result<Self, Error> {
        let directory = options.bundle.canonicalize().map_err(|error| Error::Unusable {
            place: "--bundle".into(),
            value: format!("{:?}", options.bundle),
            reason: error.to_string(),
        })?;
        let bundle = Bundle::load(&directory)?;
        let container = bundle.container()?;
        let process = process_of(&container)?;
        options.io.check(&process, "config.json: process")?;
        hooks::check(&container.hooks)?;
        if let Some(device) = container.devices.first() {
            return Err(Error::Unusable {
                place: "config.json: freebsd.devices[0]".into(),
                value: format!("{:?}", device.path),
                reason: "runj does not give a container single devices yet".into(),
            });
        }
        warn_of_limits(&bundle);
        let root = root(&container, &directory)?;
        let mounts = mounts::plan(&container.mounts, &directory)?;
        let network = runj_net::plan(&container.jail)?;
        let jail_name = name(id, &container, options)?;
        Ok(Self { bundle, container, process, root, jail_name, mounts, network })
    }
}

/// Says that limits are not applied: engines always send a `linux` section, so that it cannot be
/// refused, but one that asks for limits believes them to hold.
fn warn_of_limits(bundle: &Bundle) {
    let resources = bundle.config.extra.get("linux").and_then(|linux| linux.get("resources"));
    for kind in ["memory", "cpu", "pids"] {
        if resources.and_then(|resources| resources.get(kind)).is_some() {
            tracing::warn!("config.json: linux.resources.{kind}: runj does not apply limits yet");
        }
    }
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
        created: Timestamp::now(),
        phase: Phase::Creating,
        root: plan.root.clone(),
        jail_path: jail_path.clone(),
        jail_name: plan.jail_name.to_string(),
        jid: None,
        init: None,
        boot: sys::boot_id(),
    };
    keep_configuration(&plan.bundle, container)?;
    container.write(&record)?;

    mounts::prepare(&plan.mounts, &plan.root, container)?;
    if read_only {
        mounts::mount_read_only(&plan.root, &jail_path, container)?;
    }
    plan.network.prepare(container)?;
    let jail = create_jail(plan, &jail_path, container)?;
    record.jid = Some(jail.jid().as_raw());
    mounts::mount_all(&plan.mounts, &jail_path, jail, container)?;
    plan.network.furnish(jail, container)?;

    if may_mount(&plan.container) {
        let below = mounts::below(&jail_path).map_err(Error::errno("the mounts"))?;
        let before = below.into_iter().map(|mount| mount.id).collect();
        container.record(&Deed::OwnMounts { before })?;
    }
    let pid_file = options.io.pid_file.as_deref().map(PidFile::prepare).transpose()?;
    let started = start_init(plan, options, jail, &mut record, container)?;

    let hooks = &plan.container.hooks;
    if has_hooks(plan) {
        let annotations = plan.container.annotations.clone().into_iter().collect();
        let state = state::build(&record, Status::Creating, annotations)?;
        hooks::run_all("prestart", &hooks.prestart, &state, container)?;
        hooks::run_all("createRuntime", &hooks.create_runtime, &state, container)?;
        hooks::run_all("createContainer", &hooks.create_container, &state, container)?;
        record.phase = Phase::Created;
        container.write(&record)?;
    }
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
fn keep_configuration(bundle: &Bundle, container: &Locked) -> Result<(), Error> {
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
    let params = params::params(&plan.container, &provisional, path, network, ruleset)?;
    container.record(&Deed::Jail { name: provisional.to_string() })?;
    let jail = Jail::create(&params).map_err(|error| match plan.network.explain(&error) {
        Some(explanation) => Error::Refused(explanation),
        None => Error::Jail(error),
    })?;
    container.record(&Deed::JailMade { jid: jail.jid().as_raw() })?;
    let name = plan.jail_name.as_str();
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

/// A name for a sibling of `name` that no other jail has, in this boot of the host.
fn provisional_name(name: &JailName) -> Result<JailName, Error> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id().cast_signed();
    let start = ProcessId::of(pid)?.map_or(0, ProcessId::start);
    let own = format!("runj%{pid}%{start}%{count}");
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

/// Forks the container's process and puts it on record; only then it lives on without us.
fn start_init(
    plan: &Plan,
    options: &CreateOptions,
    jail: Jail,
    record: &mut Record,
    container: &Locked,
) -> Result<Started, Error> {
    let socket = container.directory().start_socket();
    let listener = sys::listen(&socket).map_err(Error::errno(format!("{socket:?}")))?;
    let (mut ours, theirs) = UnixStream::pair().map_err(Error::io("socketpair(2)"))?;
    let gate = Gate::wait(listener, &socket, theirs.into())?;
    let place = "config.json: process";
    let console = Console::of(&plan.process)?;
    let entry =
        process::entry(&plan.process, place, jail, gate, &console, options.io.preserve_fds)?;
    let terminal = console.hand_over(options.io.socket())?;
    let pid = entry.spawn()?;
    let on_record = put_on_record(pid, plan, record, container);
    if on_record.is_ok() && ours.write_all(&[1]).is_ok() {
        return Ok(Started { pid, terminal });
    }
    // It waits for word from us and ends when there is none.
    drop((entry, ours));
    sys::collect(pid);
    Err(on_record.err().unwrap_or(ProcessError::Died.into()))
}

fn put_on_record(
    pid: i32,
    plan: &Plan,
    record: &mut Record,
    container: &Locked,
) -> Result<(), Error> {
    let init = ProcessId::of(pid)?.ok_or(ProcessError::Died)?;
    record.init = Some(init.into());
    if !has_hooks(plan) {
        record.phase = Phase::Created;
    }
    container.write(record)
}

fn has_hooks(plan: &Plan) -> bool {
    let hooks = &plan.container.hooks;
    [&hooks.prestart, &hooks.create_runtime, &hooks.create_container]
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
