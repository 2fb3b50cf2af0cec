//! What there is to be found in everything that is made from the definition of the flags.

use clap::{Command, CommandFactory as _};

use super::Flags;

/// Every verb that is shown, those of verbs too, and `runj` itself.
pub(crate) fn verbs() -> Vec<Command> {
    fn add(command: &Command, all: &mut Vec<Command>) {
        all.push(command.clone());
        command
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
            .for_each(|verb| add(verb, all));
    }
    let mut command = Flags::command();
    command.build();
    let mut all = Vec::new();
    add(&command, &mut all);
    assert!(all.len() > 9, "the verbs of an OCI runtime at least");
    all
}

/// The flags of a verb that are shown, without their dashes.
pub(crate) fn long_flags(verb: &Command) -> Vec<String> {
    let shown = verb.get_arguments().filter(|flag| !flag.is_hide_set());
    shown.filter_map(|flag| flag.get_long().map(str::to_owned)).collect()
}

#[test]
fn the_definition_is_sound() {
    Flags::command().debug_assert();
}
