//! The limits of a container: from the configuration to rctl(4) rules and a cpuset(2), and making
//! them hold.
//!
//! | `linux.resources` | becomes |
//! |---|---|
//! | `memory.limit` | `memoryuse:deny`: what is resident beyond it is paged out |
//! | `memory.swap` | `swapuse:deny`: memory and swap together, as the property counts them, since FreeBSD reserves swap for all memory that has no file behind it; an allocation beyond it is refused |
//! | `cpu.quota` and `cpu.period` | `pcpu:deny`, in percent of one processor, rounded up |
//! | `cpu.cpus` | the jail's cpuset |
//! | `pids.limit` | `maxproc:deny` |
//!
//! The rules of `freebsd.rctl` and of `rctl` in runj.ext.json are added as they are, and take the
//! place of those of `linux.resources`, and of each other, that differ by nothing but the amount.
//!
//! # What a host cannot enforce
//!
//! Where the kernel does not account (`kern.racct.enable`, off by default, a loader tunable), a
//! limit that was asked for is an error that says so: whoever asked for it believes it to hold.
//! There is one exception, since it is no wish of anybody's: `pids.limit` of exactly 2048, the value
//! that podman and buildah send unless told otherwise (`pids_limit`, containers.conf(5)). Then
//! the log has a warning, and the container runs without.
//!
//! What of `linux.resources` FreeBSD has no equivalent for ([`LinuxResources`]) is not applied, and
//! the log says so, but for `devices` and `cpu.shares`: engines send these for every container.

use runj_faults::{Point, at};
use runj_jail::{Action, CpuSet, Jail, Limits as JailLimits, Resource, Rule};
use runj_spec::{Config, Container, LinuxResources};
use serde_json::{Map, Value};

use crate::error::{Error, whole};
use crate::ledger::Deed;
use crate::store::Locked;

/// What podman and buildah send for every container (`DefaultPidsLimit` of containers/common).
const DEFAULT_PIDS_LIMIT: u64 = 2048;

/// What a container is limited to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    rules: Vec<Given<Rule>>,
    cpus: Option<Given<CpuSet>>,
}

/// A limit, and where it was given.
#[derive(Clone, Debug)]
struct Given<T> {
    value: T,
    place: String,
    /// The engine has sent it without being asked for it.
    by_default: bool,
}

impl Limits {
    /// The limits that a configuration asks for.
    pub(crate) fn of(container: &Container) -> Result<Self, Error> {
        Self::plan(container, &format!("{}: linux.resources.", Config::FILE_NAME))
    }

    /// The same, with what messages put in front of the properties of `linux.resources`.
    pub(crate) fn plan(container: &Container, prefix: &str) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut limits = Self::default();
        limits.of_linux(&container.resources, prefix, &mut problems);
        for given in &container.rctl {
            match given.value.as_ref().parse::<Rule>() {
                Ok(rule) => limits.put(rule, given.origin.to_string()),
                Err(error) => problems.push(Error::Unusable {
                    place: given.origin.to_string(),
                    value: format!("{:?}", given.value.as_ref()),
                    reason: error.to_string(),
                }),
            }
        }
        if problems.is_empty() { Ok(limits) } else { Err(Error::all(problems)) }
    }

    fn of_linux(&mut self, resources: &LinuxResources, prefix: &str, problems: &mut Vec<Error>) {
        let mut deny = |key: &str, resource, amount| {
            let place = format!("{prefix}{key}");
            match Rule::new(resource, Action::Deny, amount) {
                Ok(rule) => self.put(rule, place),
                Err(error) => problems.push(Error::Unusable {
                    place,
                    value: amount.to_string(),
                    reason: error.to_string(),
                }),
            }
        };
        let memory = resources.memory.as_ref();
        let limit = memory.and_then(|memory| memory.limit?.get());
        let swap = memory.and_then(|memory| memory.swap?.get());
        if let Some(limit) = limit {
            deny("memory.limit", Resource::MemoryUse, limit);
        }
        if let Some(swap) = swap {
            deny("memory.swap", Resource::SwapUse, swap);
        }
        let cpu = resources.cpu.as_ref();
        if let Some((quota, cpu)) = cpu.and_then(|cpu| Some((cpu.quota?.get()?, cpu))) {
            deny("cpu.quota", Resource::Pcpu, percent(quota, cpu.period.unwrap_or_default()));
        }
        if let Some(limit) = resources.pids.as_ref().and_then(|pids| pids.limit?.get()) {
            deny("pids.limit", Resource::MaxProc, limit);
        }
        if let (Some(limit), Some(swap)) = (limit, swap)
            && swap < limit
        {
            problems.push(Error::Unusable {
                place: format!("{prefix}memory.swap"),
                value: swap.to_string(),
                reason: format!(
                    "it limits memory and swap together: expected at least memory.limit, {limit}"
                ),
            });
        }
        let list = cpu.and_then(|cpu| cpu.cpus.as_deref()).filter(|list| !list.is_empty());
        if let Some(list) = list {
            let place = format!("{prefix}cpu.cpus");
            match list.parse() {
                Ok(value) => self.cpus = Some(Given { value, place, by_default: false }),
                Err(error) => problems.push(Error::Unusable {
                    place,
                    value: format!("{list:?}"),
                    reason: error.to_string(),
                }),
            }
        }
        for rule in &mut self.rules {
            rule.by_default = rule.value.resource() == Resource::MaxProc
                && rule.value.amount() == DEFAULT_PIDS_LIMIT;
        }
    }

    fn put(&mut self, rule: Rule, place: String) {
        self.rules.retain(|old| !old.value.is_same_but_for_amount(&rule));
        self.rules.push(Given { value: rule, place, by_default: false });
    }

    /// Makes the limits hold for a new jail. Each is written down before it is made, for [`undo`].
    pub(crate) fn apply(&self, jail: Jail, container: &mut Locked) -> Result<(), Error> {
        self.apply_over(&[], jail, container)
    }

    /// Makes the limits hold for the jail, and those not any more that this container had before.
    pub(crate) fn replace(&self, jail: Jail, container: &mut Locked) -> Result<(), Error> {
        self.apply_over(&recorded(container)?, jail, container)
    }

    fn apply_over(
        &self,
        recorded: &[(String, Rule)],
        jail: Jail,
        container: &mut Locked,
    ) -> Result<(), Error> {
        let mut before = Vec::new();
        for (name, rule) in recorded {
            if JailLimits::of(name)?.rules()?.contains(rule) {
                before.push((name, rule));
            }
        }
        if !self.rules.is_empty() {
            let name = jail.name()?;
            let limits = JailLimits::of(&name)?;
            let mut others = limits.rules()?;
            others.retain(|rule| !before.contains(&(&name, rule)));
            for given in &self.rules {
                let rule = &given.value;
                if before.contains(&(&name, rule)) {
                    continue;
                }
                if let Some(other) = others.iter().find(|other| is_in_place_of(rule, other)) {
                    let refused = given.taken(&name, other);
                    if given.by_default {
                        tracing::warn!("{}", whole(&refused));
                        continue;
                    }
                    return Err(refused);
                }
                let text = rule.to_string();
                container.record(&Deed::Rule { jail: name.clone(), rule: text })?;
                at(Point::AddRule)?;
                match limits.add(rule) {
                    Ok(()) => {}
                    Err(error) if given.by_default && error.is_unenforceable() => {
                        tracing::warn!("{}: not applied: {}", given.place, whole(&error));
                    }
                    Err(error) => return Err(given.refused(error)),
                }
            }
        }
        for (name, rule) in before {
            if self.rules.iter().all(|given| given.value != *rule) {
                at(Point::ReplaceRule)?;
                JailLimits::of(name)?.remove(rule)?;
            }
        }
        match &self.cpus {
            Some(cpus) => {
                at(Point::SetCpus)?;
                jail.set_cpus(&cpus.value).map_err(|error| cpus.refused(error))
            }
            None => Ok(()),
        }
    }
}

impl<T> Given<T> {
    fn refused(&self, source: runj_jail::Error) -> Error {
        Error::Limit { place: self.place.clone(), source }
    }
}

impl Given<Rule> {
    /// Somebody else's rule would be lost, at once or when the container is deleted.
    fn taken(&self, jail: &str, other: &Rule) -> Error {
        Error::Unusable {
            place: self.place.clone(),
            value: self.value.to_string(),
            reason: format!(
                "there is the rule jail:{jail}:{other}, which runj has not added and would replace: \
                 remove it (rctl -r) or ask for no such limit"
            ),
        }
    }
}

/// Whether the kernel would keep but the first of the rules, or does not tell the two apart.
fn is_in_place_of(rule: &Rule, other: &Rule) -> bool {
    rule == other || (rule.action() == Action::Deny && rule.is_same_but_for_amount(other))
}

/// The rules that were, or were to be, added for the container, with the names of jails.
fn recorded(container: &Locked) -> Result<Vec<(String, Rule)>, Error> {
    let deeds = container.directory().deeds()?.into_iter();
    let rule = |deed| match deed {
        Deed::Rule { jail, rule } => Some((jail, rule.parse().ok()?)),
        _ => None,
    };
    Ok(deeds.filter_map(rule).collect())
}

/// Removes a rule that was recorded, if it is there.
pub(crate) fn undo(jail: &str, rule: &str) -> Result<(), runj_jail::Error> {
    // What cannot be parsed was not written by us.
    let Ok(rule) = rule.parse() else { return Ok(()) };
    JailLimits::of(jail)?.remove(&rule).map(drop)
}

/// The share of one processor in percent, rounded up. A period of 0 stands for the default one of
/// 100 milliseconds.
fn percent(quota: u64, period: u64) -> u64 {
    let period = if period == 0 { 100_000 } else { period };
    let percent = (u128::from(quota) * 100).div_ceil(period.into());
    u64::try_from(percent).unwrap_or(u64::MAX)
}

/// Says in the log which properties have no equivalent, and so are not applied.
pub(crate) fn warn_of_others(resources: &LinuxResources, prefix: &str) {
    let none = Map::new();
    let memory = resources.memory.as_ref().map_or(&none, |memory| &memory.extra);
    let cpu = resources.cpu.as_ref().map_or(&none, |cpu| &cpu.extra);
    let pids = resources.pids.as_ref().map_or(&none, |pids| &pids.extra);
    let all = [("", &resources.extra), ("memory.", memory), ("cpu.", cpu), ("pids.", pids)];
    for (object, properties) in all {
        for (key, value) in properties {
            let path = format!("{object}{key}");
            if !["devices", "cpu.shares"].contains(&path.as_str()) && says_something(value) {
                tracing::warn!("{prefix}{path}: not applied: FreeBSD has no equivalent");
            }
        }
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => object.values().any(says_something),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runj_spec::Bundle;
    use serde_json::json;

    use super::*;
    use crate::input::Input;

    fn container(resources: &Value, rctl: &[&str], more: &[&str]) -> Container {
        let dir = tempfile::tempdir().unwrap();
        let config = json!({
            "ociVersion": "1.3.0",
            "linux": { "resources": resources },
            "freebsd": { "rctl": rctl },
        });
        std::fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        let extension = json!({ "rctl": more }).to_string();
        std::fs::write(dir.path().join("runj.ext.json"), extension).unwrap();
        Bundle::load(dir.path()).unwrap().container().unwrap()
    }

    fn rules(resources: &Value, rctl: &[&str], more: &[&str]) -> Vec<String> {
        let limits = Limits::of(&container(resources, rctl, more)).unwrap();
        limits.rules.iter().map(|given| given.value.to_string()).collect()
    }

    fn problems(resources: &Value, rctl: &[&str]) -> Vec<String> {
        Limits::of(&container(resources, rctl, &[])).unwrap_err().each(&Input::name)
    }

    #[test]
    fn linux_limits_become_rules() {
        let resources = json!({
            "memory": { "limit": 1 << 20, "swap": 2 << 20, "reservation": 7 },
            "cpu": { "quota": 150_001, "period": 100_000, "shares": 512, "cpus": "0-1" },
            "pids": { "limit": 7 },
            "devices": [{ "allow": false, "access": "rwm" }],
        });
        let expected =
            ["memoryuse:deny=1048576", "swapuse:deny=2097152", "pcpu:deny=151", "maxproc:deny=7"];
        assert_eq!(rules(&resources, &[], &[]), expected);
        let limits = Limits::of(&container(&resources, &[], &[])).unwrap();
        assert_eq!(limits.cpus.unwrap().value.to_string(), "0-1");
    }

    #[test]
    fn no_limit_is_none() {
        for none in [-1, 0, 9_223_372_036_854_771_712_i64, i64::MAX] {
            let resources = json!({
                "memory": { "limit": none, "swap": none },
                "cpu": { "quota": none, "cpus": "" },
                "pids": { "limit": none },
            });
            assert_eq!(rules(&resources, &[], &[]), [""; 0], "{none}");
        }
    }

    #[test]
    fn rules_take_the_place_of_limits() {
        let resources = json!({ "pids": { "limit": 7 }, "memory": { "limit": 4096 } });
        let freebsd = ["maxproc:deny=8", "maxproc:log=5", "nthr:deny=3"];
        let more = ["maxproc:deny=9", "openfiles:deny=1k/user"];
        let expected = [
            "memoryuse:deny=4096",
            "maxproc:log=5",
            "nthr:deny=3",
            "maxproc:deny=9",
            "openfiles:deny=1024/user",
        ];
        assert_eq!(rules(&resources, &freebsd, &more), expected);
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_place() {
        let resources = json!({
            "memory": { "limit": 8192, "swap": 4096 },
            "cpu": { "cpus": "one", "quota": i64::MAX - 8192, "period": 1 },
        });
        let problems = problems(&resources, &["memory:deny=1", "wallclock:deny=1"]);
        let places = [
            "linux.resources.cpu.quota",
            "linux.resources.memory.swap",
            "linux.resources.cpu.cpus",
            "freebsd.rctl[0]",
            "freebsd.rctl[1]",
        ];
        assert_eq!(problems.len(), places.len(), "{problems:?}");
        for (problem, place) in problems.iter().zip(places) {
            assert!(problem.starts_with(&format!("config.json: {place}: ")), "{problem}");
        }
        assert!(problems[3].contains("\"memory\" is not a resource"), "{problems:?}");
    }

    #[test]
    fn only_the_engines_own_default_may_be_left_out() {
        let by_default = |resources: Value, rctl: &[&str]| {
            let limits = Limits::of(&container(&resources, rctl, &[])).unwrap();
            limits.rules.iter().map(|given| given.by_default).collect::<Vec<_>>()
        };
        let pids = |limit: u64| json!({ "pids": { "limit": limit }, "memory": { "limit": 2048 } });
        assert_eq!(by_default(pids(2048), &[]), [false, true]);
        assert_eq!(by_default(pids(2047), &[]), [false, false]);
        assert_eq!(by_default(pids(2048), &["maxproc:deny=2048"]), [false, false]);
    }

    proptest! {
        #[test]
        fn a_share_is_rounded_up(quota in 1..=u64::MAX, period in 1..=u64::MAX) {
            let share = percent(quota, period);
            prop_assert!(share >= 1);
            if share < u64::MAX {
                let exact = u128::from(quota) * 100;
                prop_assert!(u128::from(share) * u128::from(period) >= exact);
                prop_assert!(u128::from(share - 1) * u128::from(period) < exact);
            }
        }
    }
}
