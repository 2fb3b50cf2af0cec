//! What shells complete.

mod bash;
mod fish;
mod zsh;

use crate::command::{Definition, walk};
use crate::help::items;
use crate::item::Role;
use crate::{Item, choices};

choices! {
    /// A shell.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Shell {
        /// bash(1)
        Bash = "bash",
        /// fish(1)
        Fish = "fish",
        /// zsh(1)
        Zsh = "zsh",
    }
}

/// The script that a shell takes to complete command lines of the program.
pub fn completions(program: &'static Definition, shell: Shell) -> String {
    let mut places = Vec::new();
    walk(&[program], &mut |path| places.push(Place::of(path)));
    match shell {
        Shell::Bash => bash::script(program.name, &places),
        Shell::Fish => fish::script(program.name, &places),
        Shell::Zsh => zsh::script(program.name, &places),
    }
}

/// What may come after a command.
struct Place {
    /// The command, and those that lead to it, as the name of a function.
    name: String,
    verbs: &'static [&'static Definition],
    flags: Vec<&'static Item>,
    operands: Vec<&'static Item>,
}

impl Place {
    fn of(path: &[&'static Definition]) -> Self {
        let name = path.iter().map(|command| command.name.replace('-', "_")).collect::<Vec<_>>();
        let shown = items(path).into_iter().filter(|item| !item.hidden);
        let (flags, others) = shown.partition::<Vec<_>, _>(|item| item.is_flag());
        Self {
            name: name.join("__"),
            verbs: path.last().map(|command| command.verbs()).unwrap_or_default(),
            flags,
            operands: others.into_iter().filter(|item| item.is_operand()).collect(),
        }
    }

    /// The name of the place after the verb.
    fn after(&self, verb: &Definition) -> String {
        format!("{}__{}", self.name, verb.name.replace('-', "_"))
    }

    /// The flags after which a value comes in a word of its own, as they are written.
    fn valued(&self) -> Option<impl Iterator<Item = String>> {
        let apart = |flag: &&&Item| flag.takes_value() && !matches!(flag.role, Role::Attached(_));
        let mut names = self.flags.iter().filter(apart).flat_map(|flag| {
            let short = flag.short.map(|letter| format!("-{letter}"));
            [format!("--{}", flag.name)].into_iter().chain(short)
        });
        let first = names.next()?;
        Some([first].into_iter().chain(names))
    }

    /// After how many operands all words are somebody else's, if that is ever so. The first of these
    /// words may still be a flag of ours, unless it is theirs verbatim.
    fn ours(&self) -> Option<usize> {
        let trailing = |item: &&Item| matches!(item.role, Role::Trailing);
        let at = self.operands.iter().position(trailing)?;
        Some(at + usize::from(!self.operands.iter().any(|item| item.verbatim)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_are_told_by_name() {
        assert_eq!("zsh".parse(), Ok(Shell::Zsh));
        assert_eq!(
            "tcsh".parse::<Shell>(),
            Err(r#""tcsh" is not allowed: expected one of bash, fish, zsh"#.to_owned())
        );
    }
}
