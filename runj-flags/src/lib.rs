//! Command lines as tables. A command is written down once, as a struct with a line for each thing
//! that it takes, and that is what parses a line, what the help and the man pages say, and what
//! shells complete.
//!
//! ```
//! use runj_flags::{Command as _, choices, command, path, verbs};
//! use std::path::PathBuf;
//!
//! choices! {
//!     /// How something is shown
//!     #[derive(Clone, Copy, Debug, PartialEq, Eq)]
//!     pub enum Format {
//!         /// For people
//!         Table = "table",
//!         /// For programs
//!         Json = "json",
//!     }
//! }
//!
//! command! {
//!     /// List what there is
//!     pub struct List = "list" {
//!         /// The form of the list
//!         pub format: Format = value("format", "FORMAT").short('f').choices(Format::CHOICES).default("table"),
//!         /// The directory
//!         pub directory: PathBuf = operand("DIR").default(".").path() => path,
//!     }
//! }
//!
//! verbs! {
//!     pub enum Verb {
//!         List(List),
//!     }
//! }
//!
//! command! {
//!     /// Show directories
//!     pub struct Show = "show" {
//!         /// Say more
//!         pub verbose: bool = switch("verbose").everywhere(),
//!         pub verb: Verb = part(),
//!     }
//! }
//!
//! let line = ["list", "-f", "json", "/tmp", "--verbose"].map(Into::into);
//! let show = runj_flags::parse::<Show>(line).unwrap();
//! assert!(show.verbose);
//! let Verb::List(list) = show.verb;
//! assert_eq!((list.format, list.directory), (Format::Json, PathBuf::from("/tmp")));
//!
//! let refused = runj_flags::parse::<Show>(["list", "--format=xml"].map(Into::into)).unwrap_err();
//! assert_eq!(
//!     refused.to_string(),
//!     r#"--format: "xml" is not allowed: expected one of table, json"#
//! );
//! assert!(runj_flags::help(&[Show::COMMAND]).contains("  list  List what there is"));
//! ```
//!
//! A derive macro with the same aim builds its tables on the heap each time the program starts. For a
//! program that ends after a millisecond that is a good part of what it does; these are constants.
//! The words themselves are told apart by lexopt.

mod choice;
mod command;
mod completions;
mod flaws;
mod given;
mod help;
mod item;
mod man;
mod misuse;
mod text;

use std::ffi::OsString;

/// Its example is tried as that of the documentation is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use self::choice::{Choice, one_of};
pub use self::command::{Command, Definition, Takes};
pub use self::completions::{Shell, completions};
pub use self::flaws::flaws;
pub use self::given::{Given, Number, expected, number, path, text};
pub use self::help::help;
pub use self::item::Item;
pub use self::man::{Page, Release, man};
pub use self::misuse::{Misuse, Stop};

/// What a command line gives, without the program's own name.
///
/// # Errors
///
/// It is wrong, or asks for help or the version.
pub fn parse<C: Command>(words: impl IntoIterator<Item = OsString>) -> Result<C, Stop> {
    let mut given = Given::read(C::COMMAND, words)?;
    Ok(C::take(&mut given)?)
}
