//! `runj completions`

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::flags::{Completions, Flags};

pub(crate) fn run(completions: &Completions) -> Result<ExitCode, Error> {
    io::stdout().write_all(&script(completions.shell)).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// Made in memory, since `generate` panics where it cannot write.
fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Flags::command(), "runj", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;
    use crate::flags::tests::{long_flags, verbs};

    #[test]
    fn every_verb_and_flag_is_in_them() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            for verb in verbs() {
                let name = verb.get_name();
                assert!(script.contains(name), "{shell}: {name}");
                for flag in long_flags(&verb) {
                    // fish writes them without the dashes.
                    assert!(script.contains(&flag), "{shell}: {name} --{flag}");
                }
            }
        }
    }
}
