//! From the command line to the flags.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::Flags;

/// The flags on a command line, whose first word is the program's name.
///
/// clap gives each verb a copy of what all verbs take, which lasts longer than most verbs do. So a
/// command line that has only the verb of that name is tried first. Whatever that one does not
/// understand is for the whole one to take or to refuse.
///
/// # Errors
///
/// clap's, which also are help and version.
pub(crate) fn parse(line: &[OsString]) -> Result<Flags, clap::Error> {
    let mut whole = in_use(Flags::command());
    if let Some(of_verb) = with_verb_alone(&whole, line)
        && let Ok(flags) = matched(&mut in_use(of_verb), line)
    {
        return Ok(flags);
    }
    matched(&mut whole, line)
}

/// The command line of the first verb that a word of `line` is the name of.
fn with_verb_alone(whole: &Command, line: &[OsString]) -> Option<Command> {
    let verb = line.iter().skip(1).find_map(|word| whole.find_subcommand(word))?;
    let of_verb = Command::new(Flags::NAME)
        .args(whole.get_arguments().cloned())
        .subcommand(verb.clone())
        .subcommand_required(true);
    Some(of_verb)
}

fn matched(command: &mut Command, line: &[OsString]) -> Result<Flags, clap::Error> {
    let mut matches = in_use(command.try_get_matches_from_mut(line)?);
    Flags::from_arg_matches_mut(&mut matches).map_err(|error| error.format(command))
}

/// It is made once and needed until the end: to free its many parts would only take time.
fn in_use<T>(made: T) -> ManuallyDrop<T> {
    ManuallyDrop::new(made)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// What comes of it, in words.
    fn outcome(parsed: Result<Flags, clap::Error>) -> String {
        match parsed {
            Ok(flags) => format!("{flags:?}"),
            Err(error) => error.to_string(),
        }
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(Into::into).collect()
    }

    #[test]
    fn the_verb_alone_will_do() {
        for line in [
            "runj --root /r --log /l --log-format json create --bundle /b --pid-file /p id",
            "runj create id --console-socket=/s --debug",
            "runj exec --detach id sh -c start",
            "runj delete --force id",
            "runj config show .",
        ] {
            let of_verb = with_verb_alone(&Flags::command(), &words(line));
            matched(&mut of_verb.unwrap(), &words(line)).unwrap();
        }
    }

    #[test]
    fn it_is_as_if_all_verbs_were_there() {
        let lines = [
            "runj create --bundle /b id",
            "runj --root /r --debug create --pid-file /p id",
            "runj create id --root=/r --log-format json",
            // The verb is not what is first of its kind.
            "runj --log state create id",
            "runj --log create state",
            "runj exec start create",
            "runj delete delete",
            "runj config show .",
            "runj demo spec --help",
            // Not to be understood, or not all of it.
            "runj",
            "runj create",
            "runj start id kill",
            "runj --version start",
            "runj --help start",
            "runj start --help",
            "runj start --version",
            "runj crate id",
            "runj --no-such-flag start id",
            "runj start --no-such-flag id",
            "runj start UPPER/lower",
        ];
        for line in lines {
            let words = words(line);
            assert_eq!(outcome(parse(&words)), outcome(Flags::try_parse_from(&words)), "{line}");
        }
    }
}
