//! What a case is, and when it can be tried.

use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Completion, Trial};
use nix::unistd::geteuid;
use runj_tests::{Programs, Sandbox, enforces_limits};

/// One thing to prove, in a sandbox of its own.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: fn(&Sandbox<'_>),
}

/// What a case takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A `runj` to call.
    Nothing,
    /// To be root.
    Root,
    /// To be root, on a host that has IPv6.
    Ip6,
    /// To be root on FreeBSD: in an emulated jail root may trace whatever it sees, since it keeps
    /// CAP_SYS_PTRACE.
    TracingRefused,
    /// To be root on FreeBSD: an emulated devfs has the same few devices always.
    DeviceRules,
    /// To be root on FreeBSD: the emulation has neither linprocfs nor linsysfs.
    LinuxFileSystems,
    /// To be root on a host that enforces limits.
    Limits,
    /// To be root on one that does not.
    NoLimits,
    /// To be root where the tests may set the host's clock (`RUNJ_TEST_SETS_CLOCK`).
    OwnClock,
    /// To be root, and a root that `cargo xtask` has made.
    OwnRoot,
    /// A bash(1).
    Bash,
    /// A fish(1).
    Fish,
    /// A zsh(1).
    Zsh,
    /// A processor that has what TLS takes.
    Tls,
    /// To be root, on a host that has an /etc/resolv.conf.
    ResolvConf,
}

/// The cases of one file.
pub(crate) struct Theme {
    pub(crate) name: &'static str,
    pub(crate) cases: &'static [Case],
}

/// Lists the cases of a file: functions, and behind a colon what they need if it is not root.
macro_rules! cases {
    ($($name:ident $(: $needs:ident)?),+ $(,)?) => {
        pub(crate) const CASES: &[$crate::case::Case] = &[$($crate::case::Case {
            name: stringify!($name),
            needs: $crate::case::cases!(@ $($needs)?),
            run: $name,
        }),+];
    };
    (@) => { $crate::case::Needs::Root };
    (@ $needs:ident) => { $crate::case::Needs::$needs };
}
pub(crate) use cases;

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// The cases for the harness; the programs are looked for when the first one needs them.
pub(crate) fn trials(themes: &[Theme], locate: fn() -> Programs) -> Vec<Trial> {
    let root = geteuid().is_root();
    let ip6 = TcpListener::bind("[::1]:0").is_ok();
    let limits = root && enforces_limits();
    let programs = Arc::new(OnceLock::new());
    let trial = |theme: &Theme, case: &Case| {
        let linux = cfg!(target_os = "linux");
        let why_not = match case.needs {
            Needs::Nothing => None,
            Needs::Tls if !runj_demo::processor_has_tls() => {
                Some("this processor is too old for the TLS that runj-demo has")
            }
            Needs::Tls => None,
            Needs::Bash if !is_installed("bash") => Some("there is no bash(1)"),
            Needs::Fish if !is_installed("fish") => Some("there is no fish(1)"),
            Needs::Zsh if !is_installed("zsh") => Some("there is no zsh(1)"),
            Needs::Bash | Needs::Fish | Needs::Zsh => None,
            _ if !root => Some("needs root"),
            Needs::Ip6 if !ip6 => Some("this host has no IPv6"),
            Needs::Limits if !limits => Some("this host enforces no limits"),
            Needs::NoLimits if limits => Some("this host enforces limits"),
            Needs::DeviceRules if linux => Some("an emulated devfs has no rule sets"),
            Needs::LinuxFileSystems if linux => Some("there is neither linprocfs nor linsysfs"),
            Needs::TracingRefused if linux => Some("root in an emulated jail may trace"),
            Needs::OwnClock if env::var_os("RUNJ_TEST_SETS_CLOCK").is_none() => {
                Some("sets the host's clock; RUNJ_TEST_SETS_CLOCK allows it")
            }
            Needs::OwnRoot if crate::own_root::given().is_none() => {
                Some("needs the root that cargo xtask makes")
            }
            Needs::ResolvConf if !Path::new("/etc/resolv.conf").exists() => {
                Some("this host has no /etc/resolv.conf")
            }
            _ => None,
        };
        let (run, programs) = (case.run, Arc::clone(&programs));
        Trial::ignorable_test(format!("{}::{}", theme.name, case.name), move || {
            if let Some(reason) = why_not {
                return Ok(Completion::ignored_with(reason));
            }
            let sandbox = Sandbox::new(programs.get_or_init(locate));
            run(&sandbox);
            sandbox.finish();
            Ok(Completion::Completed)
        })
    };
    if !root {
        eprintln!("note: most of these need root and are ignored");
    }
    themes.iter().flat_map(|theme| theme.cases.iter().map(move |case| trial(theme, case))).collect()
}
