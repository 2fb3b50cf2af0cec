//! What the README and the book say: every command in them is run, and what they show is compared
//! with what it writes.
//!
//! [`mark`] says how a block of code tells what becomes of it. The sessions take root, and some an
//! engine; the harness says which are ignored, and why, but where `CI` is set they fail. `RUNJ`, `RUNJ_SHIM` and `RUNJ_CONTAINERD`
//! name the programs, as for the other suites. What is about the sources is tried where they are.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod book;
mod mark;
mod page;
mod pages;
mod reference;
mod session;
mod stage;

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use nix::unistd::geteuid;
use runj_tests::{Programs, Sandbox};

use crate::mark::With;
use crate::session::Session;

/// The programs under test, looked for when the first one needs them.
type Located = Arc<OnceLock<Programs>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They have the host's names for jails in common.
    arguments.test_threads.get_or_insert(1);
    let programs = Located::default();
    let no_sources = book::workspace().is_none().then_some("the sources are not here");
    let no_cargo = no_sources.or(env::var_os("CARGO").is_none().then_some("needs cargo"));
    let mut trials = vec![
        case(
            "book::the_table_of_contents_is_whole",
            no_sources,
            book::the_table_of_contents_is_whole,
        ),
        case("book::links_lead_somewhere", no_sources, book::links_lead_somewhere),
        case("book::blocks_say_what_they_are", None, book::blocks_say_what_they_are),
        case("book::comparing_is_strict", None, session::comparing_is_strict),
        case("reference::the_page_shows_the_types", None, reference::the_page_shows_the_types),
        case(
            "book::chores_have_verbs_and_flags_that_there_are",
            no_cargo,
            book::chores_have_verbs_and_flags_that_there_are,
        ),
        in_sandbox("book::documents_are_right", &programs, book::documents_are_right),
        in_sandbox(
            "book::commands_have_verbs_and_flags_that_there_are",
            &programs,
            book::commands_have_verbs_and_flags_that_there_are,
        ),
    ];
    for page in pages::all() {
        for (with, name) in [
            (With::Runj, "runj"),
            (With::Containerd, "containerd"),
            (With::Podman, "podman"),
            (With::Cargo, "cargo"),
        ] {
            if let Some(session) = Session::of(&page, with) {
                trials.push(on_stage(format!("{name}::{}", page.path), with, session, &programs));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case without a sandbox.
fn case(name: &str, why_not: Option<&'static str>, run: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        if let Some(reason) = why_not {
            return Ok(Completion::ignored_with(reason));
        }
        run();
        Ok(Completion::Completed)
    })
}

/// A case that calls runj.
fn in_sandbox(name: &str, programs: &Located, run: fn(&Sandbox<'_>)) -> Trial {
    let programs = Arc::clone(programs);
    Trial::test(name, move || {
        let sandbox = Sandbox::new(programs.get_or_init(locate));
        run(&sandbox);
        sandbox.finish();
        Ok(())
    })
}

/// The commands of a page.
fn on_stage(name: String, with: With, session: Session, programs: &Located) -> Trial {
    let programs = Arc::clone(programs);
    Trial::ignorable_test(name, move || {
        if !geteuid().is_root() {
            return Ok(Completion::ignored_with("needs root"));
        }
        match stage::play(with, &session, || programs.get_or_init(locate)) {
            Ok(()) => Ok(Completion::Completed),
            // On FreeBSD there is nothing that could be set up.
            Err(missing) if cfg!(target_os = "linux") && env::var_os("CI").is_some() => {
                Err(Failed::from(format!("there is no {missing}")))
            }
            Err(missing) => Ok(Completion::ignored_with(format!("needs {missing}"))),
        }
    })
}

fn locate() -> Programs {
    Programs::locate(env!("CARGO_BIN_EXE_runj-probe")).with_demo()
}
