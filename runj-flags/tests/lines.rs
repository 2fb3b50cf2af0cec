//! Lines, what they give, and what is made of the same definition.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use proptest::prelude::*;
use runj_flags::{Command as _, Definition, Shell, Stop, choices, command, number, path, verbs};

choices! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Colour {
        /// As leaves
        Green = "green",
        Red = "red",
    }
}

command! {
    /// Paint things
    ///
    /// Things are painted where they are.
    struct Paint = "paint" {
        /// The directory
        root: PathBuf = value("root", "DIR").short('R').default("/r").everywhere().path() => path,
        /// Say more
        loud: bool = switch("loud").short('l').everywhere(),
        verb: Verb = part(),
    }
}

verbs! {
    enum Verb {
        Wall(Wall),
        Run(Run),
        Many(Many),
        Ask(Ask),
    }
}

command! {
    /// Ask another program
    struct Ask = "ask" {
        /// How
        form: Option<String> = optional("form", "FORM").short('f'),
        /// Whom
        whom: String = operand("WHOM"),
        /// What
        flags: Vec<String> = trailing("FLAGS").verbatim(),
    }
}

command! {
    /// Paint a wall; it's "one" of [many]: all
    struct Wall = "wall" {
        /// The colour's name
        colour: Colour =
            value("colour", "COLOUR").short('c').alias("color").choices(Colour::CHOICES).default("green"),
        /// How often
        coats: Option<u8> = optional("coats", "N").instead_of(&["thin", "PAPER"]) => number,
        /// Hardly at all
        thin: bool = switch("thin").short('t'),
        /// A hole in it
        hole: Vec<String> = repeated("hole", "X[:Y]"),
        /// Whether it dries
        dry: Option<String> = attached("dry", "HOW", "slowly"),
        /// Nobody's business
        secret: bool = switch("secret").hidden(),
        /// The wall
        wall: String = operand("WALL"),
        /// What is on it
        paper: Option<PathBuf> = optional_operand("PAPER").path() => path,
    }
}

command! {
    /// Run something
    struct Run = "run" {
        /// From a file
        file: Option<PathBuf> = optional("file", "FILE").short('f').instead_of(&["WORDS"]).path() => path,
        /// Where
        place: String = operand("PLACE"),
        /// What
        words: Vec<String> = trailing("WORDS").unless(&["file"]),
    }
}

command! {
    /// One of more
    struct Many = "many" {
        verb: Deeper = part(),
    }
}

verbs! {
    enum Deeper {
        Wall(Wall),
    }
}

fn paint(line: &str) -> Result<Paint, Stop> {
    runj_flags::parse(line.split_whitespace().map(OsString::from))
}

fn wall(line: &str) -> Wall {
    match paint(line).unwrap().verb {
        Verb::Wall(wall) => wall,
        other => panic!("{other:?}"),
    }
}

fn run(line: &str) -> (Paint, Run) {
    let paint = paint(line).unwrap();
    match paint.verb.clone() {
        Verb::Run(run) => (paint, run),
        other => panic!("{other:?}"),
    }
}

fn refused(line: &str) -> String {
    match paint(line).unwrap_err() {
        Stop::Misuse(misuse) => misuse.to_string(),
        stop => panic!("{line}: {stop:?}"),
    }
}

#[test]
fn what_is_not_given_is_the_default() {
    let paint = paint("wall w").unwrap();
    assert_eq!((paint.root, paint.loud), (PathBuf::from("/r"), false));
    let expected = Wall {
        colour: Colour::Green,
        coats: None,
        thin: false,
        hole: Vec::new(),
        dry: None,
        secret: false,
        wall: "w".to_owned(),
        paper: None,
    };
    assert_eq!(wall("wall w"), expected);
}

#[test]
fn flags_stand_anywhere_and_in_any_form() {
    let expected = wall("wall --colour red --hole a --hole b --thin w p");
    for line in [
        "wall w p --thin --hole=a --hole=b --colour=red",
        "wall -tc red w --hole a p --hole b",
        "wall -tcred --hole a --hole b -- w p",
        "wall -c=red w -t p --hole a --hole b",
        "--loud wall --color red -t --hole a --hole b w p",
        "wall --colour red --hole a --hole b --thin w p --root x",
    ] {
        assert_eq!(wall(line), expected, "{line}");
    }
    assert_eq!(wall("wall w --hole --thin").hole, ["--thin"]);
}

#[test]
fn a_flag_of_all_verbs_stands_before_and_behind() {
    for line in ["--root /x -l wall w", "wall w --root=/x --loud", "-R /x wall -l w"] {
        let paint = paint(line).unwrap();
        assert_eq!((paint.root, paint.loud), (PathBuf::from("/x"), true), "{line}");
    }
}

#[test]
fn of_a_flag_given_twice_the_last_counts() {
    let paint = paint("--root /a -l wall w --root /b --loud -R /c").unwrap();
    assert_eq!((paint.root, paint.loud), (PathBuf::from("/c"), true));
    assert!(wall("wall --thin -t w").thin);
    assert_eq!(wall("wall --coats 1 w --coats=2").coats, Some(2));
    assert_eq!(wall("wall --color red --colour green w").colour, Colour::Green);
    assert_eq!(wall("wall --dry=fast --dry w").dry.as_deref(), Some("slowly"));
    assert_eq!(wall("wall --hole a w --hole b").hole, ["a", "b"]);
    assert_eq!(refused("wall a --coats 1 --coats 2 -t -t"), refused("wall a --coats 1 -t"));
}

#[test]
fn an_attached_value_is_in_the_same_word() {
    assert_eq!(wall("wall --dry w").dry.as_deref(), Some("slowly"));
    assert_eq!(wall("wall --dry=fast w").dry.as_deref(), Some("fast"));
}

#[test]
fn what_comes_last_is_left_as_it_is() {
    assert_eq!(run("run p sh -c --loud -- --root").1.words, ["sh", "-c", "--loud", "--", "--root"]);
    // Flags of ours may still stand before the first word, others' are theirs.
    let (paint, here) = run("run p -l sh -l");
    assert!(paint.loud);
    assert_eq!(here.words, ["sh", "-l"]);
    assert_eq!(run("run p -xl").1.words, ["-xl"]);
    assert_eq!(run("run p --rooted").1.words, ["--rooted"]);
    assert_eq!(run("run p -- -l a").1.words, ["-l", "a"]);
    assert_eq!(run("run p -").1.words, ["-"]);
}

#[test]
fn flags_may_be_somebody_else_s_from_the_first_one_on() {
    let ask = |line: &str| match paint(line).unwrap() {
        Paint { loud, verb: Verb::Ask(ask), .. } => (ask.form, ask.flags.join(" "), loud),
        other => panic!("{other:?}"),
    };
    assert_eq!(ask("ask -f x w"), (Some("x".to_owned()), String::new(), false));
    for (line, flags) in [
        ("ask w -f", "-f"),
        ("ask w -h", "-h"),
        ("ask w --form --loud --help", "--form --loud --help"),
        ("ask w -- -f", "-f"),
        ("ask w a -f", "a -f"),
    ] {
        assert_eq!(ask(line), (None, flags.to_owned(), false), "{line}");
    }
    assert!(ask("ask -l w -l").2);
}

#[test]
fn verbs_have_verbs() {
    let Verb::Many(many) = paint("many wall -t w").unwrap().verb else { panic!() };
    let Deeper::Wall(wall) = many.verb;
    assert!(wall.thin);
}

#[test]
fn what_is_wrong_is_said() {
    for (line, message) in [
        ("", "no command is given: paint --help lists those that there are"),
        ("--loud", "no command is given: paint --help lists those that there are"),
        ("many", "no command is given: paint many --help lists those that there are"),
        ("wale", r#"paint has no command "wale": paint --help lists those that there are"#),
        (
            "many run",
            r#"paint many has no command "run": paint many --help lists those that there are"#,
        ),
        (
            "wall --tin w",
            "paint wall has no flag --tin: paint wall --help lists those that there are",
        ),
        ("wall -x w", "paint wall has no flag -x: paint wall --help lists those that there are"),
        ("--thin wall w", "paint has no flag --thin: paint --help lists those that there are"),
        (
            "wall w --version",
            "paint wall has no flag --version: paint wall --help lists those that there are",
        ),
        ("wall", "WALL is missing: paint wall --help tells what it is"),
        ("wall a b c", r#""c" is one word too many: paint wall --help tells what it takes"#),
        ("help wale", r#"paint has no command "wale": paint --help lists those that there are"#),
        ("wall a --coats", "--coats needs a value: N"),
        ("wall a --colour", "--colour needs a value: one of green, red"),
        ("wall a --thin=1", r#"--thin="1": --thin has no value"#),
        (
            "wall a --coats x",
            r#"--coats: "x" is not allowed: expected a whole number from 0 to 255"#,
        ),
        (
            "wall a --coats 256",
            r#"--coats: "256" is not allowed: expected a whole number from 0 to 255"#,
        ),
        ("wall a -c blue", r#"--colour: "blue" is not allowed: expected one of green, red"#),
        ("wall a --root=", r#"--root: "" is not allowed: expected a path"#),
        ("wall a --coats 1 --thin", "--coats and --thin are both given: only one of them may be"),
        ("wall a b --coats 1", "--coats and PAPER are both given: only one of them may be"),
        ("run p", "WORDS or --file is missing: paint run --help tells what it is"),
        ("run p --file x y", "--file and WORDS are both given: only one of them may be"),
    ] {
        assert_eq!(refused(line), message, "{line}");
    }
    assert!(run("run p --file x").1.words.is_empty());
}

#[test]
fn words_that_are_no_text_are_paths_only() {
    let bytes = || OsString::from_vec(vec![b'a', 0xff]);
    let with =
        |flag: &str| runj_flags::parse::<Paint>([flag.into(), bytes(), "wall".into(), "w".into()]);
    assert_eq!(with("--root").unwrap().root, PathBuf::from(bytes()));
    let line = ["wall".into(), "--hole".into(), bytes(), "w".into()];
    let message = runj_flags::parse::<Paint>(line).unwrap_err().to_string();
    assert_eq!(message, r#"--hole: "a\xFF" is not allowed: expected UTF-8"#);
}

#[test]
fn help_and_version_are_asked_for() {
    for (line, of) in [
        ("help", "paint"),
        ("help many", "many"),
        ("many help wall", "wall"),
        ("help wall x", "wall"),
        ("--help", "paint"),
        ("wall -h", "wall"),
        ("many wall --help x", "wall"),
        ("run p --help", "run"),
    ] {
        match paint(line).unwrap_err() {
            Stop::Help(path) => assert_eq!(path.last().unwrap().name, of, "{line}"),
            stop => panic!("{stop:?}"),
        }
    }
    assert!(matches!(paint("--version"), Err(Stop::Version)));
    assert!(matches!(paint("-V"), Err(Stop::Version)));
}

#[test]
fn help_has_all_that_is_not_hidden() {
    let many = [Paint::COMMAND, Many::COMMAND, Wall::COMMAND];
    let help = runj_flags::help(&many);
    assert_eq!(
        help,
        "Paint a wall; it's \"one\" of [many]: all

Usage: paint many wall [OPTIONS] <WALL> [PAPER]

Arguments:
  <WALL>   The wall
  [PAPER]  What is on it

Options:
  -c, --colour <COLOUR>  The colour's name [default: green] [possible values: green, red]
      --coats <N>        How often
  -t, --thin             Hardly at all
      --hole <X[:Y]>     A hole in it
      --dry[=HOW]        Whether it dries
  -R, --root <DIR>       The directory [default: /r]
  -l, --loud             Say more
  -h, --help             Print help
"
    );
    assert_eq!(
        runj_flags::help(&[Paint::COMMAND]),
        "Paint things

Things are painted where they are.

Usage: paint [OPTIONS] <COMMAND>

Commands:
  wall  Paint a wall; it's \"one\" of [many]: all
  run   Run something
  many  One of more
  ask   Ask another program

Options:
  -R, --root <DIR>  The directory [default: /r]
  -l, --loud        Say more
  -h, --help        Print help
  -V, --version     Print version
"
    );
}

/// All commands, each with the names that lead to it.
fn all() -> Vec<(String, &'static Definition)> {
    let mut all = vec![("paint".to_owned(), Paint::COMMAND)];
    let mut index = 0;
    while let Some((name, command)) = all.get(index).cloned() {
        all.extend(command.verbs().iter().map(|verb| (format!("{name}-{}", verb.name), *verb)));
        index += 1;
    }
    all
}

mod wrong {
    use runj_flags::{choices, command, verbs};

    choices! {
        #[derive(Clone, Debug, PartialEq, Eq)]
        enum Word {
            One = "one",
        }
    }

    command! {
        struct Leaf = "leaf" {
            help: bool = switch("help"),
            hole: bool = switch("hole").short('x').instead_of(&["cellar"]),
            other: bool = switch("other").short('x').default("1"),
            word: Word = value("word", "WORD").choices(Word::CHOICES).default("two"),
            first: Option<String> = optional_operand("FIRST"),
            second: String = operand("SECOND"),
        }
    }

    verbs! {
        enum Verb {
            Leaf(Leaf),
        }
    }

    command! {
        pub(super) struct Wrong = "wrong" {
            operand: Option<String> = optional_operand("OPERAND"),
            verb: Verb = part(),
        }
    }
}

#[test]
fn what_is_wrong_with_a_definition_is_found() {
    assert_eq!(runj_flags::flaws(Paint::COMMAND), [""; 0]);
    assert_eq!(
        runj_flags::flaws(wrong::Wrong::COMMAND),
        [
            "wrong: there are operands beside commands",
            "wrong leaf: --hole: there is no cellar",
            "wrong leaf: there are two -x",
            "wrong leaf: --other: a default is not taken",
            "wrong leaf: --word: two is none of the values",
            "wrong leaf: there are two --help",
            "wrong leaf: SECOND cannot come after FIRST",
        ]
    );
}

#[test]
fn every_command_has_a_page_with_its_flags() {
    let release = runj_flags::Release { section: "8", manual: "Manual", version: "1.2" };
    let pages = runj_flags::man(Paint::COMMAND, release);
    assert_eq!(pages.len(), all().len());
    for (name, command) in all() {
        let page = pages.iter().find(|page| page.file == format!("{name}.8")).unwrap();
        let heading = format!(".TH {name} 8 \"\" \"paint 1.2\" Manual\n");
        assert!(
            page.text.contains(&heading.replace('-', "\\-")) || page.text.contains(&heading),
            "{}",
            page.text
        );
        for flag in command.flags().chain(["help"]) {
            assert!(page.text.contains(&format!("\\-\\-{flag}")), "{name} --{flag}: {}", page.text);
        }
        // The line that the help begins with, in bold and italic.
        let mut way = vec![Paint::COMMAND];
        for verb in name.split('-').skip(1) {
            way.extend(way.last().unwrap().verbs().iter().find(|other| other.name == verb));
        }
        let help = runj_flags::help(&way);
        let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap();
        let synopsis = page.text.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).unwrap();
        let synopsis = ["\\fB", "\\fI", "\\fR"]
            .into_iter()
            .fold(synopsis.to_owned(), |line, font| line.replace(font, ""));
        assert_eq!(synopsis, usage, "{name}");
        assert!(!page.text.contains("secret"));
        assert_eq!(page.text.contains("\\-\\-version"), name == "paint");
    }
}

#[test]
fn every_shell_gets_all_words() {
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let script = runj_flags::completions(Paint::COMMAND, shell);
        for (name, command) in all() {
            assert!(script.contains(command.name), "{shell}: {name}");
            for flag in command.flags() {
                // fish writes them without the dashes.
                assert!(script.contains(flag), "{shell}: {name} --{flag}");
            }
        }
        assert!(!script.contains("secret"), "{shell}");
        assert!(script.contains("help") && script.contains("version"), "{shell}");
    }
}

proptest! {
    /// Whatever the words are, they are told apart or refused; nothing panics.
    #[test]
    fn any_words(words in prop::collection::vec("(--?)?(wall|run|ask|root|c|l|dry|[a-z=-]{0,4})(=[a-z]*)?", 0..7)) {
        let _ = runj_flags::parse::<Paint>(words.into_iter().map(OsString::from));
    }

    /// What comes behind the place is the program's, word by word.
    #[test]
    fn any_program(words in prop::collection::vec("[a-z-]{1,5}", 0..5)) {
        let line = ["run", "p", "sh"].map(String::from).into_iter().chain(words.clone());
        let paint = runj_flags::parse::<Paint>(line.map(OsString::from)).unwrap();
        let Verb::Run(run) = paint.verb else { panic!() };
        prop_assert_eq!(&run.words[1..], &words[..]);
    }
}
