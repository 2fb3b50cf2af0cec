//! Jails.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::cpus::CpuSet;
use crate::encode::{self, RawParam, Wanted};
use crate::error::Error;
use crate::jid::Jid;
use crate::limits::Limits;
use crate::name::JailName;
use crate::param::{Kind, Param, Params, Value};
use crate::process::ProcessId;
use crate::process_info::ProcessInfo;
use crate::process_state::ProcessState;
use crate::signal::Signal;
use crate::sys::{self, Attachment};
use crate::usage::Usage;

/// A jail, by its jid.
///
/// This is a name, not an owner: dropping it leaves the jail as it is. A jid may be given to
/// another jail once this one is gone, so look a jail up by name before acting on an old jid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Jail {
    jid: Jid,
}

impl Jail {
    /// Creates a jail (`jail_set(2)` with `JAIL_CREATE`).
    ///
    /// `params` need `path` and `persist`, since no process attaches at once.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the kernel's reason; jail(2) lists them.
    #[doc(alias = "jail_set")]
    pub fn create(params: &Params) -> Result<Self, Error> {
        let jid = sys::jail_set(&encoded(params)?, sys::SetMode::Create)?;
        tracing::debug!(%jid, "created jail");
        Ok(Self { jid })
    }

    /// The living jail of that name, if there is one.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to tell.
    pub fn find(name: &JailName) -> Result<Option<Self>, Error> {
        let key = Param { name: "name".into(), value: Value::String(name.to_string()) };
        Ok(lookup(&key, false)?.map(|jid| Self { jid }))
    }

    /// The living jail of that jid, if there is one.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to tell.
    pub fn by_jid(jid: Jid) -> Result<Option<Self>, Error> {
        Ok(lookup(&jid_key(jid), false)?.map(|jid| Self { jid }))
    }

    /// The jail of that jid, living or dying, if anything is left of it.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to tell.
    pub fn remains(jid: Jid) -> Result<Option<Self>, Error> {
        Ok(lookup(&jid_key(jid), true)?.map(|jid| Self { jid }))
    }

    /// All living jails below this process's own.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to tell.
    pub fn list() -> Result<Vec<Self>, Error> {
        list(false)
    }

    /// The jail's jid.
    #[must_use]
    pub fn jid(self) -> Jid {
        self.jid
    }

    /// The jail's full name, also of a dying one.
    ///
    /// # Errors
    ///
    /// When the jail is gone.
    pub fn name(self) -> Result<String, Error> {
        self.string("name")
    }

    /// The jail's root directory, also of a dying one.
    ///
    /// # Errors
    ///
    /// When the jail is gone.
    pub fn path(self) -> Result<String, Error> {
        self.string("path")
    }

    /// Reads parameters (`jail_get(2)`), in the order asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the jail is gone or the kernel does not know a parameter.
    #[doc(alias = "jail_get")]
    pub fn get(self, wanted: &[(&str, Kind)]) -> Result<Vec<Value>, Error> {
        self.get_of(wanted, false)
    }

    /// Changes parameters (`jail_set(2)` with `JAIL_UPDATE`).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; `path`, `vnet`, `ip4` and `ip6` cannot be changed after creation.
    pub fn update(self, params: &Params) -> Result<(), Error> {
        let mut raw = vec![encode::encode(&jid_key(self.jid))?];
        raw.extend(encoded(params)?);
        sys::jail_set(&raw, sys::SetMode::Update)?;
        Ok(())
    }

    /// Removes the jail, the jails in it and, by SIGKILL, their processes (`jail_remove(2)`).
    ///
    /// The processes end a little later ([`wait_empty`](Self::wait_empty)), and the jail itself
    /// stays *dying* for as long as something, such as a closed TCP connection in `TIME_WAIT`,
    /// still refers to it. A jail that is gone already is not an error.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with `EPERM` when the caller may not.
    #[doc(alias = "jail_remove")]
    pub fn remove(self) -> Result<(), Error> {
        match sys::jail_remove(self.jid) {
            Ok(()) => {
                tracing::debug!(jid = %self.jid, "removed jail");
                Ok(())
            }
            // jail_remove(2): no such jail.
            Err(Error::Refused { errno: Errno::EINVAL, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The processes in the jail and in the jails below it.
    ///
    /// # Errors
    ///
    /// When the kernel's process table cannot be read.
    pub fn processes(self) -> Result<Vec<ProcessId>, Error> {
        sys::processes(&self.family()?)
    }

    /// The same processes, with what the kernel tells of each.
    ///
    /// # Errors
    ///
    /// When the kernel's process table cannot be read.
    pub fn process_infos(self) -> Result<Vec<ProcessInfo>, Error> {
        sys::process_infos(&self.family()?)
    }

    /// The same processes, and whether they run.
    ///
    /// # Errors
    ///
    /// When the kernel's process table cannot be read.
    pub fn process_states(self) -> Result<Vec<ProcessState>, Error> {
        sys::process_states(&self.family()?)
    }

    /// The rules about what the jail may use.
    ///
    /// # Errors
    ///
    /// When the jail is gone, and [`Error::Unlimitable`].
    pub fn limits(self) -> Result<Limits, Error> {
        Limits::of(&self.name()?)
    }

    /// What the jail and the jails below it use (rctl_get_racct(2), and the process table).
    ///
    /// # Errors
    ///
    /// When the jail is gone or the kernel refuses to tell.
    #[doc(alias = "rctl_get_racct")]
    pub fn usage(self) -> Result<Usage, Error> {
        let accounted = sys::accounted(&self.name()?)?;
        Ok(Usage::new(&self.process_infos()?, accounted))
    }

    /// The processors that the jail may run on (cpuset_getaffinity(2), `CPU_WHICH_JAIL`).
    ///
    /// # Errors
    ///
    /// When the jail is gone.
    #[doc(alias = "cpuset_getaffinity")]
    pub fn cpus(self) -> Result<CpuSet, Error> {
        sys::cpus(self.jid)
    }

    /// Restricts the jail to those processors (cpuset_setaffinity(2), `CPU_WHICH_JAIL`), for what
    /// is in it now and later.
    ///
    /// # Errors
    ///
    /// `EINVAL` when one of them is not there, or not the parent jail's; `EDEADLK` when some
    /// process in the jail has restricted itself to others.
    #[doc(alias = "cpuset_setaffinity")]
    pub fn set_cpus(self, cpus: &CpuSet) -> Result<(), Error> {
        sys::set_cpus(self.jid, cpus)
    }

    /// Sends a signal to every process in the jail and in the jails below it; tells to how many.
    ///
    /// The table of processes is read until it shows none that did not get the signal, so that a
    /// process that forks meanwhile does not slip through.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to list or signal them.
    pub fn signal_all(self, signal: Signal) -> Result<usize, Error> {
        // A fork bomb can outrun any number of passes; `remove` is what ends one for certain.
        const PASSES: usize = 16;
        let family = self.family()?;
        let mut signalled = std::collections::HashSet::new();
        for _ in 0..PASSES {
            let mut news = false;
            for process in sys::processes(&family)? {
                if signalled.insert(process) {
                    news |= process.signal(signal)?;
                }
            }
            if !news {
                break;
            }
        }
        Ok(signalled.len())
    }

    /// Waits until no process is left in the jail and the jails below it; `false` when one still
    /// is after `timeout`.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to list or watch them.
    pub fn wait_empty(self, timeout: Duration) -> Result<bool, Error> {
        // A process keeps its jail, and that the jails around it, so that where nothing is left the
        // whole table of processes need not be read.
        let is_gone = || lookup(&jid_key(self.jid), true).map(|jid| jid.is_none());
        if is_gone()? {
            return Ok(true);
        }
        let deadline = Instant::now() + timeout;
        let family = self.family()?;
        loop {
            let processes = sys::processes(&family)?;
            if processes.is_empty() {
                return Ok(true);
            }
            // They may be others each time.
            if Instant::now() >= deadline {
                return Ok(false);
            }
            for process in processes {
                let left = deadline.saturating_duration_since(Instant::now());
                if !process.wait(left)? {
                    return Ok(false);
                }
            }
            if is_gone()? {
                return Ok(true);
            }
        }
    }

    /// Waits until nothing is left of the jail, not even *dying*; `false` when it still is there
    /// after `timeout`.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to tell.
    pub fn wait_gone(self, timeout: Duration) -> Result<bool, Error> {
        // The kernel has no event for the end of a dying jail before FreeBSD 15: ask, and ask
        // less often the longer it takes.
        const LONGEST_PAUSE: Duration = Duration::from_millis(50);
        let deadline = Instant::now() + timeout;
        let mut pause = Duration::from_millis(1);
        while lookup(&jid_key(self.jid), true)?.is_some() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(true)
    }

    /// Prepares to enter the jail with a new process.
    ///
    /// # Errors
    ///
    /// When the jail is gone.
    #[doc(alias = "jail_attach")]
    pub fn attachment(self) -> Result<Attachment, Error> {
        Attachment::new(self.jid)
    }

    /// This jail and those below it, dying ones included, since their processes may yet live.
    fn family(self) -> Result<BTreeSet<Jid>, Error> {
        let mut family = BTreeSet::from([self.jid]);
        // The kernel counts those that are dying as well (`pr_childcount`). Most jails have none,
        // and the host may have many.
        let wanted = [("name", Kind::String), ("children.cur", Kind::Int)];
        let Ok(values) = self.get_of(&wanted, true) else { return Ok(family) };
        let [Value::String(name), Value::Int(children)] = values.as_slice() else {
            return Ok(family);
        };
        if *children == 0 {
            return Ok(family);
        }
        let below = format!("{name}.");
        for jail in list(true)? {
            // One that vanished meanwhile has no processes.
            if jail.name().is_ok_and(|name| name.starts_with(&below)) {
                family.insert(jail.jid);
            }
        }
        Ok(family)
    }

    fn string(self, name: &str) -> Result<String, Error> {
        match self.get_of(&[(name, Kind::String)], true)?.pop() {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Error::Undecodable { name: name.into(), bytes: 0 }),
        }
    }

    fn get_of(self, wanted: &[(&str, Kind)], dying: bool) -> Result<Vec<Value>, Error> {
        let key = encode::encode(&jid_key(self.jid))?;
        let parameters = wanted.iter().map(|(name, kind)| Wanted::new(name, *kind));
        let parameters = parameters.collect::<Result<Vec<_>, _>>()?;
        let (_, values) = sys::jail_get(&key, &parameters, dying)?;
        wanted
            .iter()
            .zip(values)
            .map(|((name, kind), bytes)| {
                encode::decode(*kind, &bytes).ok_or_else(|| Error::Undecodable {
                    name: (*name).to_owned(),
                    bytes: bytes.len(),
                })
            })
            .collect()
    }
}

fn encoded(params: &Params) -> Result<Vec<RawParam>, Error> {
    params.iter().map(encode::encode).collect()
}

fn jid_key(jid: Jid) -> Param {
    Param { name: "jid".into(), value: Value::Int(jid.as_raw()) }
}

/// The jid of the jail that `key` names; `None` when there is none.
fn lookup(key: &Param, dying: bool) -> Result<Option<Jid>, Error> {
    match sys::jail_get(&encode::encode(key)?, &[], dying) {
        Ok((jid, _)) => Ok(Some(jid)),
        // jail_get(2): ENOENT no such jail. A dying one that was not asked for is ENOENT as well.
        Err(Error::Refused { errno: Errno::ENOENT, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn list(dying: bool) -> Result<Vec<Jail>, Error> {
    let mut jails = Vec::new();
    let mut last = 0;
    loop {
        let key = Param { name: "lastjid".into(), value: Value::Int(last) };
        let Some(jid) = lookup(&key, dying)? else { return Ok(jails) };
        last = jid.as_raw();
        jails.push(Jail { jid });
    }
}
