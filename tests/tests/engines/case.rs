//! What a case is, and when it can be tried.

use std::env;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Failed, Trial};
use runj_tests::Programs;
use runj_tests::engines::{Engine, Tools};

/// One thing to prove, with a storage of its own.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Engine<'_>),
}

/// The cases of one file.
pub(crate) struct Theme {
    pub(crate) name: &'static str,
    pub(crate) cases: &'static [Case],
}

/// Lists the cases of a file: functions.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[$crate::case::Case] =
            &[$($crate::case::Case { name: stringify!($name), run: $name }),+];
    };
}
pub(crate) use cases;

/// The cases for the harness.
pub(crate) fn trials(themes: &[Theme]) -> Vec<Trial> {
    let tools = Arc::new(Tools::find());
    if let Err(missing) = &*tools {
        eprintln!("note: these need {missing}");
    }
    // On FreeBSD there is nothing that could be set up.
    let must = cfg!(target_os = "linux") && env::var_os("CI").is_some();
    let ignored = tools.is_err() && !must;
    let programs = Arc::new(OnceLock::new());
    let trial = |theme: &Theme, case: &Case| {
        let (run, tools, programs) = (case.run, Arc::clone(&tools), Arc::clone(&programs));
        Trial::test(format!("{}::{}", theme.name, case.name), move || {
            let tools = tools.as_ref().as_ref();
            let tools = tools.map_err(|missing| Failed::from(format!("there is no {missing}")))?;
            let locate = || Programs::locate(env!("CARGO_BIN_EXE_runj-probe")).with_demo();
            let engine = Engine::start(tools, programs.get_or_init(locate));
            run(&engine);
            engine.finish();
            Ok(())
        })
        .with_ignored_flag(ignored)
    };
    themes.iter().flat_map(|theme| theme.cases.iter().map(move |case| trial(theme, case))).collect()
}
