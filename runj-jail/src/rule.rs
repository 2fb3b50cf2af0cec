//! Rules about resources.

use std::fmt;
use std::str::FromStr;

use crate::resource::{BadResource, Resource};

/// A limit on what a jail may use, and what happens at it (rctl(8), "RULE SYNTAX").
///
/// As text it is what rctl(8) has behind the subject: `memoryuse:deny=512m`, `maxproc:sigterm=100`
/// or, for each user in the jail, `openfiles:deny=1000/user`. An amount may end in one of the
/// letters of expand_number(3), each 1024 of the one before: `k`, `m`, `g`, `t`, `p`, `e`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    resource: Resource,
    action: Action,
    amount: u64,
    per: Per,
}

/// What happens at a limit (rctl(8), "ACTIONS").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// What would take more is refused.
    Deny,
    /// It is slowed down.
    Throttle,
    /// The kernel's log says so.
    Log,
    /// devd(8) is told.
    Devctl,
    /// The process that goes beyond gets this signal.
    Signal(SignalName),
}

/// A signal that a rule can send, by its name in rctl(8), such as `sigkill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalName(&'static str);

/// Whose use is compared with the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// That of each process.
    Process,
    /// That of each user, in the jail and outside.
    User,
    /// That of each login class.
    LoginClass,
    /// That of the whole jail.
    Jail,
}

/// A rule that cannot be, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRule {
    /// It does not have the form of a rule.
    #[error(
        "{0:?} is not a rule: expected RESOURCE:ACTION=AMOUNT or RESOURCE:ACTION=AMOUNT/PER, such \
         as \"memoryuse:deny=512m\""
    )]
    Form(String),
    /// It has a subject, which is always the jail.
    #[error(
        "{0:?} names a subject: expected a rule without \"jail:NAME:\", such as \"maxproc:deny=100\""
    )]
    Subject(String),
    /// There is no such resource.
    #[error(transparent)]
    Resource(#[from] BadResource),
    /// There is no such action.
    #[error(
        "{0:?} is not an action: expected deny, throttle, log, devctl or a signal, one of {all}",
        all = SignalName::ALL.join(", ")
    )]
    Action(String),
    /// The amount is none.
    #[error(
        "{text:?} is not an amount of {resource}: expected an integer from 0 to {}, which may end \
         in k, m, g, t, p or e",
        resource.most()
    )]
    Amount {
        /// The resource.
        resource: Resource,
        /// What stands for the amount.
        text: String,
    },
    /// What follows the slash is nothing that a rule can be for.
    #[error("{0:?} is nothing that a rule can be for: expected process, user, loginclass or jail")]
    Per(String),
    /// The kernel cannot do that with this resource.
    #[error("{action} is not possible for {resource}: {instead}")]
    Impossible {
        /// The resource.
        resource: Resource,
        /// The action.
        action: Action,
        /// What is possible.
        instead: &'static str,
    },
    /// The resource is not counted for single processes.
    #[error("{0} is not counted for single processes: expected user, loginclass or jail")]
    NotOfAProcess(Resource),
}

impl Rule {
    /// A rule for the use of the whole jail.
    ///
    /// # Errors
    ///
    /// [`BadRule`] for an amount beyond what the kernel counts to, or an action that it does not
    /// have for the resource (`rctl_rule_add`, `kern_rctl.c`).
    pub fn new(resource: Resource, action: Action, amount: u64) -> Result<Self, BadRule> {
        Self { resource, action, amount, per: Per::Jail }.checked()
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// What happens at the limit.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// The limit, in the unit of the resource.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Whose use is compared with the limit.
    #[must_use]
    pub fn per(&self) -> Per {
        self.per
    }

    /// How much of `resource` a jail with this rule can have at most; `None` if the rule is about
    /// something else.
    #[must_use]
    pub fn most_of(&self, resource: Resource) -> Option<u64> {
        let Self { action, per, .. } = self;
        let is_limit = self.resource == resource && (*action, *per) == (Action::Deny, Per::Jail);
        is_limit.then_some(self.amount)
    }

    /// Whether the two differ by nothing but the amount. Of such rules that deny, the kernel keeps
    /// the one that was added last.
    #[must_use]
    pub fn is_same_but_for_amount(&self, other: &Self) -> bool {
        (self.resource, self.action, self.per) == (other.resource, other.action, other.per)
    }

    fn checked(self) -> Result<Self, BadRule> {
        let Self { resource, action, amount, per } = self;
        let impossible = |instead| BadRule::Impossible { resource, action, instead };
        if amount > resource.most() {
            return Err(BadRule::Amount { resource, text: amount.to_string() });
        }
        if action == Action::Deny && !resource.is_deniable() {
            return Err(impossible(if resource.is_throttled() {
                "expected throttle, log, devctl or a signal"
            } else {
                "expected log, devctl or a signal"
            }));
        }
        if action == Action::Throttle && !resource.is_throttled() {
            return Err(impossible("expected readbps, writebps, readiops or writeiops"));
        }
        if per == Per::Process && !resource.is_of_a_process() {
            return Err(BadRule::NotOfAProcess(resource));
        }
        Ok(self)
    }
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let form = || BadRule::Form(text.to_owned());
        let (resource, rest) = text.split_once(':').ok_or_else(form)?;
        if ["jail", "user", "process", "loginclass"].contains(&resource) {
            return Err(BadRule::Subject(text.to_owned()));
        }
        let (action, rest) = rest.split_once('=').ok_or_else(form)?;
        let (amount, per) = match rest.split_once('/') {
            Some((amount, per)) => (amount, Some(per)),
            None => (rest, None),
        };
        let resource: Resource = resource.parse()?;
        let action = action.parse()?;
        let amount = expanded(amount)
            .ok_or_else(|| BadRule::Amount { resource, text: amount.to_owned() })?;
        let per = per.map_or(Ok(Per::Jail), str::parse)?;
        Self { resource, action, amount, per }.checked()
    }
}

/// The number that a text stands for by the rules of expand_number(3).
fn expanded(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        "e" => 6,
        _ => return None,
    };
    // A sign is none of it.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(1 << (10 * power))
}

impl fmt::Display for Rule {
    /// As the kernel takes and gives it: the amount without a letter, and `/jail` left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}={}", self.resource, self.action, self.amount)?;
        match self.per {
            Per::Jail => Ok(()),
            per => write!(f, "/{per}"),
        }
    }
}

impl SignalName {
    /// Those of rctl(8), which are fewer than kill(2) takes.
    const ALL: &[&'static str] = &[
        "sighup",
        "sigint",
        "sigquit",
        "sigill",
        "sigtrap",
        "sigabrt",
        "sigemt",
        "sigfpe",
        "sigkill",
        "sigbus",
        "sigsegv",
        "sigsys",
        "sigpipe",
        "sigalrm",
        "sigterm",
        "sigurg",
        "sigstop",
        "sigtstp",
        "sigchld",
        "sigttin",
        "sigttou",
        "sigio",
        "sigxcpu",
        "sigxfsz",
        "sigvtalrm",
        "sigprof",
        "sigwinch",
        "siginfo",
        "sigusr1",
        "sigusr2",
        "sigthr",
    ];
}

impl FromStr for Action {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        Ok(match text {
            "deny" => Self::Deny,
            "throttle" => Self::Throttle,
            "log" => Self::Log,
            "devctl" => Self::Devctl,
            text => {
                let signal = SignalName::ALL.iter().find(|signal| **signal == text);
                let signal = signal.ok_or_else(|| BadRule::Action(text.to_owned()))?;
                Self::Signal(SignalName(signal))
            }
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deny => "deny",
            Self::Throttle => "throttle",
            Self::Log => "log",
            Self::Devctl => "devctl",
            Self::Signal(SignalName(name)) => name,
        })
    }
}

impl FromStr for Per {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        match text {
            "process" => Ok(Self::Process),
            "user" => Ok(Self::User),
            "loginclass" => Ok(Self::LoginClass),
            "jail" => Ok(Self::Jail),
            text => Err(BadRule::Per(text.to_owned())),
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::User => "user",
            Self::LoginClass => "loginclass",
            Self::Jail => "jail",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<Rule>().unwrap_err().to_string()
    }

    #[test]
    fn rules_are_read_as_rctl_reads_them() {
        let memory = rule("memoryuse:deny=512m");
        assert_eq!(memory, Rule::new(Resource::MemoryUse, Action::Deny, 512 << 20).unwrap());
        assert_eq!(memory.to_string(), "memoryuse:deny=536870912");
        assert_eq!(rule("maxproc:sigterm=7/user").to_string(), "maxproc:sigterm=7/user");
        assert_eq!(rule("maxproc:deny=7/jail").to_string(), "maxproc:deny=7");
        assert_eq!(rule("readbps:throttle=1M").amount(), 1 << 20);
        assert_eq!(rule("openfiles:deny=3/process").per(), Per::Process);
        assert_eq!(rule("pcpu:deny=0").amount(), 0);
    }

    #[test]
    fn what_is_no_rule_is_refused_in_words() {
        for text in ["", "maxproc", "maxproc:deny", "maxproc=7", ":=", "maxproc:deny/user"] {
            assert!(text.parse::<Rule>().is_err(), "{text:?}");
        }
        assert!(
            refusal("memory:deny=1").starts_with(r#""memory" is not a resource: expected one"#)
        );
        assert!(refusal("maxproc:refuse=1").starts_with(r#""refuse" is not an action"#));
        assert!(refusal("maxproc:sigwhat=1").contains("sigkill"));
        for amount in ["", "-1", "+1", "1x", "k", "1kb", "1.5g", " 1", "9223372036854775808", "99e"]
        {
            let text = refusal(&format!("vmemoryuse:deny={amount}"));
            assert!(
                text.starts_with(&format!("{amount:?} is not an amount of vmemoryuse")),
                "{text}"
            );
        }
        assert!(refusal("maxproc:deny=1/host").contains("process, user, loginclass or jail"));
        assert!(refusal("jail:web:maxproc:deny=1").contains("names a subject"));
    }

    #[test]
    fn what_the_kernel_would_not_support_is_refused_in_words() {
        for (text, instead) in [
            ("cputime:deny=1", "expected log, devctl or a signal"),
            ("wallclock:deny=1", "expected log, devctl or a signal"),
            ("readbps:deny=1", "expected throttle, log, devctl or a signal"),
            ("pcpu:throttle=1", "expected readbps, writebps, readiops or writeiops"),
            ("swapuse:deny=1/process", "not counted for single processes"),
            ("pcpu:deny=9223372036855", "an integer from 0 to 9223372036854"),
        ] {
            assert!(refusal(text).contains(instead), "{text}");
        }
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        let actions = ["deny", "throttle", "log", "devctl"].iter().chain(SignalName::ALL);
        let actions: Vec<Action> = actions.map(|name| name.parse().unwrap()).collect();
        let pers = vec![Per::Process, Per::User, Per::LoginClass, Per::Jail];
        (select(Resource::ALL), select(actions), 0..=u64::MAX, select(pers)).prop_filter_map(
            "not every rule can be",
            |(resource, action, amount, per)| {
                Rule { resource, action, amount: amount % (resource.most() + 1), per }
                    .checked()
                    .ok()
            },
        )
    }

    proptest! {
        #[test]
        fn a_rule_is_what_its_text_says(rule in any_rule()) {
            prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
        }

        #[test]
        fn no_text_is_too_much(text in ".{0,40}") {
            let _ = text.parse::<Rule>();
        }

        #[test]
        fn letters_multiply(number in 0..=i64::MAX.cast_unsigned(), power in 0..=6u32, upper: bool) {
            let letter = ["", "k", "m", "g", "t", "p", "e"][power as usize];
            let letter = if upper { letter.to_uppercase() } else { letter.to_owned() };
            let expected = number.checked_mul(1024u64.pow(power)).filter(|n| i64::try_from(*n).is_ok());
            let parsed = format!("vmemoryuse:deny={number}{letter}").parse::<Rule>();
            prop_assert_eq!(parsed.ok().map(|rule| rule.amount()), expected);
        }
    }
}
