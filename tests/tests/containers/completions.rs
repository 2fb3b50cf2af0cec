//! What shells complete, in the shells themselves: as a user types it.

use std::fs;

use runj_tests::{Running, Sandbox, Terminal};

use crate::case::cases;

cases![
    bash_completes: Bash,
    bash_completes_names_with_colons: Bash,
    fish_completes: Fish,
    zsh_completes: Zsh,
    there_are_some_for_every_shell: Nothing,
];

/// A line as far as it is typed, with its last word apart, and what may come in place of that word.
type Expected<'e> = (&'e str, &'e str, &'e [&'e str]);

/// What all shells are to offer. There is a file and a directory to choose from.
const LINES: &[Expected<'_>] = &[
    ("runj ", "sta", &["start", "state"]),
    ("runj config ", "ch", &["check"]),
    ("runj delete ", "--fo", &["--force"]),
    ("runj list --format ", "", &["json", "table"]),
    ("runj list --format=", "j", &["json"]),
    ("runj list -f ", "j", &["json"]),
    // The value of a flag is no verb.
    ("runj --root create ", "sta", &["start", "state"]),
    ("runj --root=create ", "sta", &["start", "state"]),
    // What a program gets is not runj's.
    ("runj exec id ", "--det", &["--detach"]),
    ("runj exec id sh ", "--det", &[]),
    ("runj exec --user=0:0 -e A=1:2 id ", "--det", &["--detach"]),
    ("runj exec --user=0:0 -e A=1:2 id sh ", "--det", &[]),
    ("runj exec -u 0:0 id sh ", "bun", &[]),
    ("runj ps ", "--form", &["--format"]),
    ("runj ps id ", "--form", &[]),
    // A path of the host, where one is asked for.
    ("runj create id ", "bun", &["bundle"]),
    ("runj create ", "bun", &[]),
    ("runj create --bundle ", "bun", &["bundle"]),
    ("runj create --pid-file=", "pi", &["pid"]),
    ("runj exec --process ", "pi", &["pid"]),
    ("runj exec --cwd ", "bun", &[]),
    ("runj update --resources ", "pi", &["pid"]),
];

/// Writes the completions for a shell, and files to choose from.
fn prepare(sandbox: &Sandbox<'_>, shell: &str) -> String {
    let script = sandbox.runj(["completions", shell]).run().succeeded();
    fs::create_dir(sandbox.path().join("bundle")).unwrap();
    for name in ["pid", "a:b"] {
        fs::write(sandbox.path().join(name), "").unwrap();
    }
    let path = sandbox.path().join(format!("completions.{shell}"));
    fs::write(&path, script).unwrap();
    path.display().to_string()
}

#[track_caller]
fn check(lines: &[Expected<'_>], mut complete: impl FnMut(&str, &str) -> Vec<String>) {
    for (line, word, expected) in lines {
        let mut offered = complete(line, word);
        // What the shells put behind flags and directories differs.
        offered.iter_mut().for_each(|word| word.truncate(word.trim_end_matches(['=', '/']).len()));
        offered.sort();
        assert_eq!(offered, *expected, "{line}{word}");
    }
}

/// A shell at a terminal. Typed into a line, ^T completes it with all that may come, and ^O shows it
/// between braces.
struct Shell {
    terminal: Terminal,
    _running: Running,
}

impl Shell {
    fn start(sandbox: &Sandbox<'_>, command: &str) -> Self {
        let (mut terminal, slave) = Terminal::open();
        let shell = sandbox.shell(&format!("exec {command}")).env("TERM", "dumb");
        let running = shell.env("HOME", sandbox.path()).on_terminal(&slave).spawn();
        // Before that, what is typed would be the kernel's to edit.
        terminal.expect("ready> ");
        Self { terminal, _running: running }
    }

    fn complete(&mut self, line: &str, word: &str) -> Vec<String> {
        self.terminal.write(&format!("\u{15}{line}{word}\u{14}\u{f}"));
        self.terminal.expect("{{");
        let shown = self.terminal.until("}}");
        let shown = shown.trim_end_matches("}}");
        let offered = shown.strip_prefix(line).unwrap_or_else(|| panic!("{line}: {shown}"));
        let offered: Vec<_> = offered.split_whitespace().map(str::to_owned).collect();
        // Nothing is put in place of the word.
        if offered == [word] { Vec::new() } else { offered }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.terminal.write("\u{15}exit\r");
    }
}

fn bash(sandbox: &Sandbox<'_>) -> Shell {
    let script = prepare(sandbox, "bash");
    let commands = format!(
        "source {script}
        PS1='ready> '
        bind 'set bell-style none'
        bind '\"\\C-t\": insert-completions'
        bind -x '\"\\C-o\": printf \"{{{{%s}}}}\" \"$READLINE_LINE\"'
        ",
    );
    let file = sandbox.path().join("bashrc");
    fs::write(&file, commands).unwrap();
    Shell::start(sandbox, &format!("bash --noprofile --rcfile {} -i", file.display()))
}

fn bash_completes(sandbox: &Sandbox<'_>) {
    let mut shell = bash(sandbox);
    check(LINES, |line, word| shell.complete(line, word));
}

/// For bash a colon ends a word, and what is behind it is all that is replaced.
fn bash_completes_names_with_colons(sandbox: &Sandbox<'_>) {
    let mut shell = bash(sandbox);
    for line in ["runj create id ", "runj create --bundle=", "runj create --bundle "] {
        let shown = shell.complete(line, "a:");
        assert_eq!(shown, ["a:b"], "{line}");
    }
}

fn zsh_completes(sandbox: &Sandbox<'_>) {
    let script = prepare(sandbox, "zsh");
    let commands = format!(
        "PS1='ready> '
        unsetopt beep
        autoload -Uz compinit
        compinit -D -u
        source {script}
        all() {{ _main_complete; compstate[insert]=all }}
        zle -C all complete-word all
        show() {{ print -rn -- \"{{{{$BUFFER}}}}\" }}
        zle -N show
        bindkey -e
        bindkey '^U' kill-whole-line
        bindkey '^T' all
        bindkey '^O' show
        ",
    );
    let directory = sandbox.path().join("zsh");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(".zshrc"), commands).unwrap();
    let command = format!("env ZDOTDIR={} zsh -d -i", directory.display());
    let mut shell = Shell::start(sandbox, &command);
    check(LINES, |line, word| shell.complete(line, word));
}

fn fish_completes(sandbox: &Sandbox<'_>) {
    let script = prepare(sandbox, "fish");
    check(LINES, |line, word| {
        let fish = format!(r#"fish --no-config -c "source {script}; complete -C '{line}{word}'""#);
        // What it offers is in place of the whole word, and has what it is for behind a tab.
        let before = line.rsplit(' ').next().unwrap_or_default();
        let told = sandbox.shell(&fish).env("HOME", sandbox.path()).run().succeeded();
        let words = told.lines().map(|line| line.split('\t').next().unwrap_or_default());
        words.map(|word| word.trim_start_matches(before).to_owned()).collect()
    });
}

fn there_are_some_for_every_shell(sandbox: &Sandbox<'_>) {
    for shell in ["bash", "fish", "zsh"] {
        let script = sandbox.runj(["completions", shell]).run().succeeded();
        assert!(script.contains("--preserve-fds") || script.contains("preserve-fds"), "{shell}");
    }
    let message = sandbox.runj(["completions", "tcsh"]).run().refused();
    assert!(message.contains("tcsh") && message.contains("bash"), "{message}");
}
