//! From the words of a line to what they give.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::ptr;
use std::str::FromStr;

use lexopt::{Arg, Parser};

use crate::choice::one_of;
use crate::command::Definition;
use crate::item::{HELP, Role, VERSION};
use crate::{Item, Misuse, Stop};

/// What the words of a line give, of which commands take what is theirs.
#[derive(Debug)]
pub struct Given {
    /// The program's, its verb, that one's verb.
    commands: Vec<&'static Definition>,
    /// How many of the commands were taken.
    taken: usize,
    flags: Vec<(&'static Item, OsString)>,
    operands: std::vec::IntoIter<OsString>,
}

impl Given {
    /// Tells the words apart. What they are worth is not looked at yet.
    pub(crate) fn read(
        program: &'static Definition,
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, Stop> {
        let mut line = Line {
            commands: vec![program],
            items: [&HELP, &VERSION].into_iter().chain(program.items()).collect(),
            flags: Vec::new(),
            operands: Vec::new(),
            wants_help: false,
        };
        line.read(&mut Parser::from_args(words))?;
        if line.wants_help {
            return Err(Stop::Help(line.commands));
        }
        line.check()?;
        let Line { commands, flags, operands, .. } = line;
        Ok(Self { commands, taken: 0, flags, operands: operands.into_iter() })
    }

    #[doc(hidden)]
    pub fn verb(&mut self) -> Result<&'static str, Misuse> {
        self.taken += 1;
        let missing = || Misuse::NoVerb(full_name(&self.commands));
        self.commands.get(self.taken).map(|verb| verb.name).ok_or_else(missing)
    }

    /// The last that was given for the flag, as runc has it: whoever calls a wrapper can overrule what
    /// it gives.
    fn flag(&self, item: &Item) -> Option<&OsStr> {
        let mut flags = self.flags.iter().rev().filter(|(flag, _)| flag.name == item.name);
        flags.next().map(|(_, value)| value.as_os_str())
    }

    fn missing(&self, item: &Item) -> Misuse {
        Misuse::Missing { command: full_name(&self.commands), what: item.shown() }
    }

    #[doc(hidden)]
    pub fn switch(&mut self, item: &Item) -> Result<bool, Misuse> {
        Ok(self.flag(item).is_some())
    }

    #[doc(hidden)]
    pub fn value<T>(&mut self, item: &Item, parse: Parse<T>) -> Result<T, Misuse> {
        self.optional(item, parse)?.ok_or_else(|| self.missing(item))
    }

    #[doc(hidden)]
    pub fn optional<T>(&mut self, item: &Item, parse: Parse<T>) -> Result<Option<T>, Misuse> {
        let word = self.flag(item).or(item.default.map(OsStr::new));
        word.map(|word| parsed(item, word, parse)).transpose()
    }

    #[doc(hidden)]
    pub fn attached<T>(&mut self, item: &Item, parse: Parse<T>) -> Result<Option<T>, Misuse> {
        self.optional(item, parse)
    }

    #[doc(hidden)]
    pub fn repeated<T>(&mut self, item: &Item, parse: Parse<T>) -> Result<Vec<T>, Misuse> {
        let flags = self.flags.iter().filter(|(flag, _)| flag.name == item.name);
        flags.map(|(_, word)| parsed(item, word, parse)).collect()
    }

    #[doc(hidden)]
    pub fn operand<T>(&mut self, item: &Item, parse: Parse<T>) -> Result<T, Misuse> {
        self.optional_operand(item, parse)?.ok_or_else(|| self.missing(item))
    }

    #[doc(hidden)]
    pub fn optional_operand<T>(
        &mut self,
        item: &Item,
        parse: Parse<T>,
    ) -> Result<Option<T>, Misuse> {
        let word = self.operands.next().or(item.default.map(OsString::from));
        word.map(|word| parsed(item, &word, parse)).transpose()
    }

    #[doc(hidden)]
    pub fn trailing<T>(&mut self, item: &Item, parse: Parse<T>) -> Result<Vec<T>, Misuse> {
        self.operands.by_ref().map(|word| parsed(item, &word, parse)).collect()
    }
}

/// What makes a value of a word, or says what is wrong with it.
type Parse<T> = fn(&OsStr) -> Result<T, String>;

/// A value that is written as text and says itself what is wrong with it.
///
/// # Errors
///
/// Those of the type, or the word is no UTF-8.
pub fn text<T: FromStr<Err: fmt::Display>>(word: &OsStr) -> Result<T, String> {
    let text = word.to_str().ok_or_else(|| expected(word, "UTF-8"))?;
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A type of whole numbers.
pub trait Number: FromStr + fmt::Display {
    /// The least of them.
    const MIN: Self;
    /// The greatest of them.
    const MAX: Self;
}

macro_rules! numbers {
    ($($type:ident)*) => {
        $(
            impl Number for $type {
                const MIN: Self = $type::MIN;
                const MAX: Self = $type::MAX;
            }
        )*
    };
}
numbers!(u8 u16 u32 u64 i32 i64);

/// A whole number.
///
/// # Errors
///
/// It is none, or one that the type does not have.
pub fn number<T: Number>(word: &OsStr) -> Result<T, String> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| {
        let (least, most) = (T::MIN, T::MAX);
        expected(word, &format!("a whole number from {least} to {most}"))
    })
}

/// A file name, which need not be text.
///
/// # Errors
///
/// It is empty.
pub fn path(word: &OsStr) -> Result<PathBuf, String> {
    if word.is_empty() { Err(expected(word, "a path")) } else { Ok(word.into()) }
}

/// What a function that makes values of words says of one with which it cannot.
pub fn expected(word: &OsStr, what: &str) -> String {
    format!("{word:?} is not allowed: expected {what}")
}

fn parsed<T>(item: &Item, word: &OsStr, parse: Parse<T>) -> Result<T, Misuse> {
    parse(word).map_err(|reason| Misuse::NotAllowed { place: item.shown(), reason })
}

/// A line while it is read.
struct Line {
    commands: Vec<&'static Definition>,
    /// What may come, of the program and its verb.
    items: Vec<&'static Item>,
    flags: Vec<(&'static Item, OsString)>,
    operands: Vec<OsString>,
    /// The word `help` was in the place of a verb: what comes says of which one.
    wants_help: bool,
}

impl Line {
    fn read(&mut self, words: &mut Parser) -> Result<(), Stop> {
        loop {
            if self.takes_the_rest(words) {
                self.operands.extend(words.raw_args().map_err(Misuse::from)?);
                return Ok(());
            }
            let (item, shown) = match words.next().map_err(Misuse::from)? {
                None => return Ok(()),
                Some(Arg::Value(word)) => {
                    self.word(word)?;
                    continue;
                }
                Some(Arg::Long(name)) => (self.long(name), format!("--{name}")),
                Some(Arg::Short(letter)) => (self.short(letter), format!("-{letter}")),
            };
            let Some(item) = item else {
                let command = full_name(&self.commands);
                return Err(Misuse::NoSuchFlag { command, flag: shown }.into());
            };
            if ptr::eq(item, &raw const HELP) {
                return Err(Stop::Help(self.commands.clone()));
            }
            if ptr::eq(item, &raw const VERSION) {
                return Err(Stop::Version);
            }
            let value = match item.role {
                Role::Switch => OsString::new(),
                Role::Attached(alone) => words.optional_value().unwrap_or_else(|| alone.into()),
                _ => words.value().map_err(|_| Misuse::NoValue {
                    flag: item.shown(),
                    value: match item.choices {
                        [] => item.value.to_owned(),
                        choices => one_of(choices),
                    },
                })?,
            };
            self.flags.push((item, value));
        }
    }

    /// Whether all that comes is somebody else's, even if it looks like a flag.
    fn takes_the_rest(&self, words: &mut Parser) -> bool {
        let mut operands = self.items.iter().filter(|item| item.is_operand());
        let next = operands.nth(self.operands.len());
        let Some(next) = next.filter(|item| matches!(item.role, Role::Trailing)) else {
            return false;
        };
        let Some(rest) = words.try_raw_args() else { return false };
        let Some(word) = rest.as_slice().first() else { return false };
        let bytes = word.as_encoded_bytes();
        let is_flag = match bytes {
            b"--" => true,
            _ if next.verbatim => false,
            [b'-', b'-', ..] => {
                let name = bytes.split(|byte| *byte == b'=').next().and_then(|name| name.get(2..));
                let name = name.and_then(|name| str::from_utf8(name).ok());
                name.is_some_and(|name| self.long(name).is_some())
            }
            [b'-', letter, ..] => self.short(char::from(*letter)).is_some(),
            _ => false,
        };
        !is_flag
    }

    /// A word that is no flag: the verb or an operand.
    fn word(&mut self, word: OsString) -> Result<(), Misuse> {
        let verbs = self.commands.last().map(|command| command.verbs()).unwrap_or_default();
        if verbs.is_empty() {
            let mut operands = self.items.iter().filter(|item| item.is_operand());
            let last = self.operands.len().checked_sub(1).and_then(|index| operands.nth(index));
            let is_trailing = last.is_some_and(|item| matches!(item.role, Role::Trailing));
            if !is_trailing && operands.next().is_none() {
                return Err(Misuse::TooMany {
                    command: full_name(&self.commands),
                    word: word.to_string_lossy().into_owned(),
                });
            }
            self.operands.push(word);
            return Ok(());
        }
        let Some(verb) = verbs.iter().find(|verb| word == verb.name) else {
            // As clap and runc have it.
            if word == "help" {
                self.wants_help = true;
                return Ok(());
            }
            return Err(Misuse::NoSuchVerb {
                command: full_name(&self.commands),
                verb: word.to_string_lossy().into_owned(),
            });
        };
        self.commands.push(verb);
        self.items.retain(|item| item.everywhere);
        self.items.extend(verb.items());
        Ok(())
    }

    fn long(&self, name: &str) -> Option<&'static Item> {
        self.items.iter().find(|item| item.is_called(name)).copied()
    }

    fn short(&self, letter: char) -> Option<&'static Item> {
        self.items.iter().find(|item| item.short == Some(letter)).copied()
    }

    /// What goes together and what does not.
    fn check(&self) -> Result<(), Misuse> {
        for item in &self.items {
            let given = self.is_given(item);
            if given
                && let Some(other) = self.called(item.instead_of).find(|other| self.is_given(other))
            {
                return Err(Misuse::Both { one: item.shown(), other: other.shown() });
            }
            let mut others = self.called(item.unless);
            if !given && !item.unless.is_empty() && !others.any(|other| self.is_given(other)) {
                let all = [*item].into_iter().chain(self.called(item.unless));
                return Err(Misuse::Missing {
                    command: full_name(&self.commands),
                    what: all.map(Item::shown).collect::<Vec<_>>().join(" or "),
                });
            }
        }
        Ok(())
    }

    /// Those of these names.
    fn called(&self, names: &[&str]) -> impl Iterator<Item = &'static Item> {
        self.items.iter().filter(|item| names.contains(&item.name)).copied()
    }

    fn is_given(&self, item: &Item) -> bool {
        if item.is_flag() {
            return self.flags.iter().any(|(flag, _)| flag.name == item.name);
        }
        let operands = self.items.iter().filter(|item| item.is_operand());
        operands.take(self.operands.len()).any(|operand| operand.name == item.name)
    }
}

/// `runj config show`
pub(crate) fn full_name(commands: &[&'static Definition]) -> String {
    commands.iter().map(|command| command.name).collect::<Vec<_>>().join(" ")
}
