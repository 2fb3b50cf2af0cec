//! The commands of a page, as one session of a shell.

use std::fmt::Write as _;
use std::time::Duration;

use runj_tests::Invocation;

use crate::mark::{Mark, Marked, With};
use crate::page::Page;

/// What precedes the name of a step in the output: the record separator of ASCII, which nothing
/// else writes.
const MARK: char = '\u{1e}';

/// The commands of a page that are run with the same things.
pub(crate) struct Session {
    path: &'static str,
    steps: Vec<Step>,
}

/// What is done in one go.
struct Step {
    /// The line of the page.
    line: usize,
    script: String,
    expected: Expected,
}

/// What comes of a step.
enum Expected {
    /// Its end, whatever it writes.
    Success,
    /// This output, `...` standing for anything; and failure if an error is part of it.
    Output(String),
}

impl Expected {
    /// Whether an error of runj's or of ctr's is to come of it.
    fn is_failure(&self) -> bool {
        match self {
            Self::Success => false,
            Self::Output(output) => output
                .lines()
                .any(|line| ["runj: ", "ctr: "].iter().any(|start| line.starts_with(start))),
        }
    }
}

impl Session {
    /// The session of a page with these, if it has one. What is wrong with a block is for
    /// [`crate::book`] to say.
    pub(crate) fn of(page: &Page, with: With) -> Option<Self> {
        let mut steps = Vec::<Step>::new();
        let mut files = Vec::new();
        let mut ours = false;
        for block in &page.blocks {
            let Ok(marked) = Marked::read(block) else { continue };
            let line = block.line;
            match marked.mark {
                Mark::Run(given) => {
                    ours = given == with && marked.here;
                    if !ours {
                        continue;
                    }
                    steps.append(&mut files);
                    if marked.language == "console" {
                        steps.extend(typed(line, &marked.text));
                    } else {
                        let expected = Expected::Success;
                        steps.push(Step { line, script: marked.text, expected });
                    }
                }
                Mark::Output if ours && marked.here => {
                    if let Some(step) = steps.last_mut() {
                        step.expected = Expected::Output(marked.text);
                    }
                }
                // They are there for all sessions of the page.
                Mark::File(path) if marked.here => {
                    let script = format!(
                        "mkdir -p \"$(dirname {path})\"\ncat >{path} <<'END OF FILE'\n{}END OF FILE\n",
                        marked.text
                    );
                    files.push(Step { line, script, expected: Expected::Success });
                }
                Mark::NotRun => ours = false,
                _ => {}
            }
        }
        (!steps.is_empty()).then_some(Self { path: page.path, steps })
    }

    /// Whether it downloads a base system.
    pub(crate) fn downloads(&self) -> bool {
        self.steps.iter().any(|step| step.script.contains("demo download"))
    }

    /// The script.
    pub(crate) fn script(&self) -> String {
        let mut script = String::from("exec 2>&1\n");
        for (number, Step { script: commands, expected, .. }) in self.steps.iter().enumerate() {
            let errors = if expected.is_failure() { "set +e" } else { "set -e" };
            writeln!(script, "printf '\\036{number}\\n'\n{errors}\n{commands}").unwrap();
            writeln!(script, "printf '\\036=%s\\n' $?").unwrap();
        }
        script
    }

    /// Runs it and compares what comes of each step with what the page says.
    ///
    /// # Panics
    ///
    /// With each difference.
    pub(crate) fn run(&self, shell: Invocation) {
        // Some compile.
        let outcome = shell.spawn().wait_within(Duration::from_secs(1800));
        let (said, stderr) = (outcome.stdout(), outcome.stderr());
        // Behind the first mark there is number, output, mark, status.
        let parts: Vec<_> = said.split(MARK).skip(1).collect();
        let mut failures = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let place = format!("{}:{}", self.path, step.line);
            let Some(part) = parts.get(2 * number) else { break };
            let output = part.strip_prefix(&format!("{number}\n")).expect("the number of a step");
            let status = parts.get(2 * number + 1).map(|part| part.trim_start_matches('='));
            let status = status.and_then(|status| status.trim().parse::<i32>().ok());
            let script = &step.script;
            match (&step.expected, status) {
                (Expected::Success, Some(0)) => {}
                (Expected::Success, _) => {
                    failures.push(format!("{place} failed:\n{script}\nwrites\n{output}"));
                }
                (Expected::Output(_), None) => {
                    failures.push(format!("{place} ended the shell:\n{script}\n{output}"));
                }
                (Expected::Output(expected), Some(status)) => {
                    if !matches(expected, output) {
                        failures.push(format!(
                            "{place}:\n{script}\nwrites\n{output}\nand not\n{expected}"
                        ));
                    }
                    if step.expected.is_failure() != (status != 0) {
                        failures.push(format!("{place} ends with {status}:\n{script}\n{output}"));
                    }
                }
            }
        }
        assert!(failures.is_empty(), "{}\n{stderr}", failures.join("\n"));
        assert_eq!(outcome.code(), 0, "{}: {said}{stderr}", self.path);
        assert_eq!(parts.len(), 2 * self.steps.len(), "{}: {said}{stderr}", self.path);
    }
}

/// The steps of what somebody types at a prompt.
fn typed(line: usize, text: &str) -> Vec<Step> {
    let mut steps = Vec::<(usize, String, String)>::new();
    for (offset, text) in text.lines().enumerate() {
        match (text.strip_prefix("# "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push((line + 1 + offset, format!("{command}\n"), String::new()));
            }
            (None, Some((_, command, shown))) if shown.is_empty() && command.ends_with("\\\n") => {
                command.push_str(text);
                command.push('\n');
            }
            (None, Some((_, _, shown))) => {
                shown.push_str(text);
                shown.push('\n');
            }
            (None, None) => panic!("line {line}: {text:?} comes before any prompt"),
        }
    }
    let step = |(line, script, shown)| Step { line, script, expected: Expected::Output(shown) };
    steps.into_iter().map(step).collect()
}

/// Whether a text is as a page shows it. There, `...` in a line stands for anything in it, and a
/// line of it alone for any lines.
fn matches(shown: &str, text: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    lines_match(&lines(shown), &lines(text))
}

fn lines_match(shown: &[String], lines: &[String]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((any, rest)) if any.trim() == "..." => {
            (0..=lines.len()).any(|skipped| lines_match(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, more)| line_matches(first, line) && lines_match(rest, more)),
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    let mut parts = shown.split("...");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What a page shows is compared line by line, and not anything passes.
pub(crate) fn comparing_is_strict() {
    for (shown, text, same) in [
        ("a\nb\n", "a\nb\n", true),
        ("a\n", "a\nb\n", false),
        ("a\nb\n", "a\n", false),
        ("", "", true),
        ("", "a\n", false),
        ("a ... c\n", "a b c\n", true),
        ("a ... c\n", "a b d\n", false),
        ("... c ...\n", "a b c d\n", true),
        ("a\n...\nd\n", "a\nb\nc\nd\n", true),
        ("a\n...\nd\n", "a\nb\nc\n", false),
        ("...\n", "", true),
    ] {
        assert_eq!(matches(shown, text), same, "{shown:?} {text:?}");
    }
    let step = typed(3, "# one \\\n  two\nout\n# three\n");
    let scripts: Vec<_> = step.iter().map(|step| (step.line, step.script.as_str())).collect();
    assert_eq!(scripts, [(4, "one \\\n  two\n"), (7, "three\n")]);
}
