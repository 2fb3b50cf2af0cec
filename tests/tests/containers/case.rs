//! What a case is, and when it can be tried.

use std::net::TcpListener;
use std::sync::{Arc, OnceLock};

use libtest_mimic::Trial;
use nix::unistd::geteuid;
use runj_tests::{Programs, Sandbox};

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
    /// To be root on the development host: it would panic the kernel of FreeBSD 13.2.
    DevelopmentHost,
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

/// The cases for the harness; the programs are looked for when the first one needs them.
pub(crate) fn trials(themes: &[Theme], locate: fn() -> Programs) -> Vec<Trial> {
    let root = geteuid().is_root();
    let ip6 = TcpListener::bind("[::1]:0").is_ok();
    let programs = Arc::new(OnceLock::new());
    let trial = |theme: &Theme, case: &Case| {
        let possible = match case.needs {
            Needs::Nothing => true,
            Needs::Root => root,
            Needs::Ip6 => root && ip6,
            Needs::DevelopmentHost => root && cfg!(target_os = "linux"),
        };
        let (run, programs) = (case.run, Arc::clone(&programs));
        Trial::test(format!("{}::{}", theme.name, case.name), move || {
            let sandbox = Sandbox::new(programs.get_or_init(locate));
            run(&sandbox);
            sandbox.finish();
            Ok(())
        })
        .with_ignored_flag(!possible)
    };
    if !root {
        eprintln!("note: most of these need root and are ignored");
    }
    themes.iter().flat_map(|theme| theme.cases.iter().map(move |case| trial(theme, case))).collect()
}
