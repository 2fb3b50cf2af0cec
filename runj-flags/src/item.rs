//! What may stand on a command line.

use crate::{Choice, Definition};

/// A flag, an operand, or what holds such things.
#[derive(Debug)]
pub struct Item {
    pub(crate) role: Role,
    /// A flag's name without the dashes, or what an operand is called in the help.
    pub(crate) name: &'static str,
    /// The name by which the flag may be given as well, which no help tells.
    pub(crate) alias: Option<&'static str>,
    pub(crate) short: Option<char>,
    /// What a flag's value is called in the help.
    pub(crate) value: &'static str,
    pub(crate) about: &'static str,
    pub(crate) default: Option<&'static str>,
    pub(crate) choices: &'static [Choice],
    /// Its value names a file or directory of the host.
    pub(crate) is_path: bool,
    pub(crate) hidden: bool,
    pub(crate) everywhere: bool,
    pub(crate) verbatim: bool,
    pub(crate) instead_of: &'static [&'static str],
    pub(crate) unless: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Switch,
    Value,
    Optional,
    Repeated,
    /// With a value only if it is in the same word, behind `=`; without, it is this.
    Attached(&'static str),
    Operand,
    OptionalOperand,
    Trailing,
    Part(&'static [Item]),
    Verbs(&'static [&'static Definition]),
}

/// What every command takes.
pub(crate) static HELP: Item = Item::switch("help").short('h').about("Print help").everywhere();
/// What the program itself takes as well.
pub(crate) static VERSION: Item = Item::switch("version").short('V').about("Print version");

impl Item {
    const fn new(role: Role, name: &'static str, value: &'static str) -> Self {
        Self {
            role,
            name,
            alias: None,
            short: None,
            value,
            about: "",
            default: None,
            choices: &[],
            is_path: false,
            hidden: false,
            everywhere: false,
            verbatim: false,
            instead_of: &[],
            unless: &[],
        }
    }

    /// A flag without a value: a `bool`.
    pub const fn switch(name: &'static str) -> Self {
        Self::new(Role::Switch, name, "")
    }

    /// A flag with a value that has to be given unless there is a default: a `T`.
    pub const fn value(name: &'static str, value: &'static str) -> Self {
        Self::new(Role::Value, name, value)
    }

    /// A flag with a value that may be left out: an `Option<T>`.
    pub const fn optional(name: &'static str, value: &'static str) -> Self {
        Self::new(Role::Optional, name, value)
    }

    /// A flag with a value that may be given several times: a `Vec<T>`.
    pub const fn repeated(name: &'static str, value: &'static str) -> Self {
        Self::new(Role::Repeated, name, value)
    }

    /// A flag whose value, if it has one, is in the same word: an `Option<T>`, which is `alone`
    /// where the flag stands without one.
    pub const fn attached(name: &'static str, value: &'static str, alone: &'static str) -> Self {
        Self::new(Role::Attached(alone), name, value)
    }

    /// A word that has to be given unless there is a default: a `T`.
    pub const fn operand(name: &'static str) -> Self {
        Self::new(Role::Operand, name, "")
    }

    /// A word that may be left out: an `Option<T>`.
    pub const fn optional_operand(name: &'static str) -> Self {
        Self::new(Role::OptionalOperand, name, "")
    }

    /// All words from here on, whatever they look like: a `Vec<T>`. Flags of the command may still
    /// stand before the first of them, unless they are [`verbatim`](Self::verbatim). No operand comes after it.
    pub const fn trailing(name: &'static str) -> Self {
        Self::new(Role::Trailing, name, "")
    }

    /// What another type takes.
    #[doc(hidden)]
    pub const fn part(items: &'static [Self]) -> Self {
        Self::new(Role::Part(items), "", "")
    }

    /// One of several commands, with what it takes.
    #[doc(hidden)]
    pub const fn verbs(verbs: &'static [&'static Definition]) -> Self {
        Self::new(Role::Verbs(verbs), "COMMAND", "")
    }

    /// The flag's one letter.
    #[must_use]
    pub const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// Another name for the flag, which no help tells.
    #[must_use]
    pub const fn alias(mut self, name: &'static str) -> Self {
        self.alias = Some(name);
        self
    }

    /// What holds if it is not given.
    #[must_use]
    pub const fn default(mut self, word: &'static str) -> Self {
        self.default = Some(word);
        self
    }

    /// The words that its value may be, for help and shells: its type refuses others.
    #[must_use]
    pub const fn choices(mut self, choices: &'static [Choice]) -> Self {
        self.choices = choices;
        self
    }

    /// Its value names a file or directory, which shells look for where they run.
    #[must_use]
    pub const fn path(mut self) -> Self {
        self.is_path = true;
        self
    }

    /// No help tells of it.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// It may also stand behind the verb, whichever it is.
    #[must_use]
    pub const fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    /// Of the words that are somebody else's the first is so, too, if it looks like a flag of the
    /// command.
    #[must_use]
    pub const fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// It may not be given together with any of these flags and operands.
    #[must_use]
    pub const fn instead_of(mut self, names: &'static [&'static str]) -> Self {
        self.instead_of = names;
        self
    }

    /// It has to be given unless one of these flags and operands is.
    #[must_use]
    pub const fn unless(mut self, names: &'static [&'static str]) -> Self {
        self.unless = names;
        self
    }

    /// What it is for, as a doc comment has it.
    #[doc(hidden)]
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    pub(crate) fn is_flag(&self) -> bool {
        matches!(
            self.role,
            Role::Switch | Role::Value | Role::Optional | Role::Repeated | Role::Attached(_)
        )
    }

    pub(crate) fn is_operand(&self) -> bool {
        matches!(self.role, Role::Operand | Role::OptionalOperand | Role::Trailing)
    }

    pub(crate) fn takes_value(&self) -> bool {
        self.is_flag() && !matches!(self.role, Role::Switch)
    }

    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.is_flag() && (self.name == name || self.alias == Some(name))
    }

    /// Adds it, or what it holds.
    pub(crate) fn spread(&'static self, all: &mut Vec<&'static Self>) {
        match self.role {
            Role::Part(items) => items.iter().for_each(|item| item.spread(all)),
            _ => all.push(self),
        }
    }

    /// As a person writes it.
    pub(crate) fn shown(&self) -> String {
        if self.is_flag() { format!("--{}", self.name) } else { self.name.to_owned() }
    }
}
