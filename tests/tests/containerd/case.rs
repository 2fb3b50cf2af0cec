//! What a case is, and when it can be tried.

use std::env;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Completion, Failed, Trial};
use nix::unistd::geteuid;
use runj_tests::containerd::{Binaries, Engine, Release, missing_for_images};

/// One thing to prove, with a containerd of its own.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Why it cannot be tried here, if it cannot.
    pub(crate) why_not: fn() -> Option<&'static str>,
    pub(crate) run: fn(&mut Engine<'_>),
}

/// The cases of one file.
pub(crate) struct Theme {
    pub(crate) name: &'static str,
    pub(crate) cases: &'static [Case],
}

/// Lists the cases of a file: functions, with the platform of those that are not for all, and behind
/// a colon what tells why one cannot be tried.
macro_rules! cases {
    ($($(#[$platform:meta])? $name:ident $(: $why_not:path)?),+ $(,)?) => {
        pub(crate) const CASES: &[$crate::case::Case] = &[$($(#[$platform])? $crate::case::Case {
            name: stringify!($name),
            why_not: $crate::case::cases!(@ $($why_not)?),
            run: $name,
        }),+];
    };
    (@) => { || None };
    (@ $why_not:path) => { $why_not };
}
pub(crate) use cases;

/// The cases for the harness, each with every release of containerd.
pub(crate) fn trials(themes: &[Theme]) -> Vec<Trial> {
    let releases = Release::all();
    let missing = if !geteuid().is_root() {
        Some("root")
    } else if releases.is_empty() {
        Some("containerd")
    } else {
        missing_for_images()
    };
    let cases =
        themes.iter().flat_map(|theme| theme.cases.iter().map(move |case| (theme.name, *case)));
    if let Some(missing) = missing {
        eprintln!("note: these need {missing}");
        let must = env::var_os("CI").is_some();
        return cases
            .map(|(theme, case)| {
                let fail = move || Err(Failed::from(format!("there is no {missing}")));
                Trial::test(format!("{theme}::{}", case.name), fail).with_ignored_flag(!must)
            })
            .collect();
    }
    let binaries = Arc::new(OnceLock::new());
    let cases: Vec<_> = cases.collect();
    releases
        .into_iter()
        .map(Arc::new)
        .flat_map(|release| {
            let binaries = Arc::clone(&binaries);
            let has_cri = release.has_cri();
            if !has_cri {
                eprintln!("note: containerd {} was built without CRI", release.version);
            }
            cases.clone().into_iter().map(move |(theme, case)| {
                let (release, binaries) = (Arc::clone(&release), Arc::clone(&binaries));
                let name = format!("{theme}::{}", case.name);
                let kind = release.version.clone();
                Trial::ignorable_test(name, move || {
                    if let Some(reason) = (case.why_not)() {
                        return Ok(Completion::ignored_with(reason));
                    }
                    let mut engine =
                        Engine::start(&release, binaries.get_or_init(Binaries::locate));
                    (case.run)(&mut engine);
                    engine.finish();
                    Ok(Completion::Completed)
                })
                .with_kind(kind)
                .with_ignored_flag(theme == "cri" && !has_cri)
            })
        })
        .collect()
}
