//! What only people see: colours, and what to do after an error; man pages.

use std::fs;

use runj_tests::{Container, Invocation, Sandbox};

use crate::case::cases;

cases![
    the_list_has_colours_on_a_terminal_only,
    every_table_has_them_by_the_same_rule,
    an_error_on_a_terminal_says_what_to_do_next,
    a_missing_bundle_s_next_step: Nothing,
    man_pages_for_every_verb: Nothing,
];

/// Gives a command these variables, and none else that say what somebody thinks of colours.
fn with(command: Invocation, variables: &[(&str, &str)]) -> Invocation {
    let others = ["CI", "CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR"];
    let bare = others.into_iter().fold(command, Invocation::without_env).env("TERM", "xterm");
    variables.iter().fold(bare, |command, (name, value)| command.env(name, value))
}

fn the_list_has_colours_on_a_terminal_only(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let list = |variables: &[(&str, &str)]| with(sandbox.runj(["list"]), variables);
    let plain = list(&[]).run().succeeded();
    assert!(!plain.contains('\u{1b}'), "{plain:?}");

    let (coloured, _) = list(&[]).run_at_terminal();
    assert!(coloured.contains("\u{1b}[32mrunning\u{1b}[0m"), "{coloured:?}");
    let (without, _) = list(&[("NO_COLOR", "1")]).run_at_terminal();
    assert_eq!(without, plain);

    // Colours take no room: what is below each other is below each other.
    let column = |line: &str, word: &str| line.find(word).expect(word);
    let lines: Vec<_> = plain.lines().collect();
    let row = lines.iter().find(|line| line.starts_with(container.id())).unwrap();
    assert_eq!(column(lines[0], "STATUS"), column(row, "running"));
    assert_eq!(column(lines[0], "BUNDLE"), column(row, "/"));
    let uncoloured = strip(&coloured);
    assert_eq!(uncoloured, plain);
}

fn every_table_has_them_by_the_same_rule(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let container = sandbox.start(&bundle);
    let list = || sandbox.runj(["list"]);
    let ps = || sandbox.runj(["ps", container.id()]);
    let show = || sandbox.runj(["config", "show"]).args([bundle.dir()]);
    let tables: [(&str, &dyn Fn() -> Invocation); 3] =
        [("ID", &list), ("UID", &ps), ("VALUE", &show)];
    for (heading, table) in tables {
        let coloured = format!("\u{1b}[1m{heading}\u{1b}[0m");
        let check = |shown: &str, colours: bool, how: &str| {
            assert_eq!(shown.contains(&coloured), colours, "{heading}, {how}: {shown:?}");
            assert_eq!(shown.contains('\u{1b}'), colours, "{heading}, {how}: {shown:?}");
            assert!(strip(shown).trim_start().starts_with(heading), "{how}: {shown:?}");
        };
        for (variables, colours) in [
            (&[][..], true),
            (&[("NO_COLOR", "1")], false),
            (&[("NO_COLOR", "")], true),
            (&[("CLICOLOR", "0")], false),
            (&[("CLICOLOR", "1")], true),
            (&[("TERM", "dumb")], false),
        ] {
            let (shown, _) = with(table(), variables).run_at_terminal();
            check(&shown, colours, &format!("at a terminal with {variables:?}"));
        }
        for (variables, colours) in [
            (&[][..], false),
            (&[("CLICOLOR", "1")], false),
            (&[("CLICOLOR_FORCE", "1")], true),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ] {
            let shown = with(table(), variables).run().succeeded();
            check(&shown, colours, &format!("in a file with {variables:?}"));
        }
    }
}

/// Without the sequences that change colours.
fn strip(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    let rest = parts.map(|part| part.split_once('m').expect("the end of a colour").1);
    first + &rest.collect::<String>()
}

fn an_error_on_a_terminal_says_what_to_do_next(sandbox: &Sandbox<'_>) {
    let running = sandbox.start(&sandbox.bundle());
    let stopped = sandbox.start(&sandbox.bundle().args(["true"]));
    stopped.wait_stopped();
    let bundle = sandbox.bundle();
    let create = |container: &Container<'_>| {
        sandbox.runj(["create", container.id(), "--bundle"]).args([bundle.dir()])
    };
    let runj = format!("runj --root {}", sandbox.state_dir().display());
    let [id, last] = [&running, &stopped].map(Container::id);
    for (command, advice) in [
        (sandbox.runj(["state", "nowhere"]), format!("{runj} list: ")),
        (create(&running), format!("{runj} delete {id}: ")),
        (
            sandbox.runj(["delete", id]),
            format!("{runj} kill {id}, or {runj} delete --force {id}: "),
        ),
        (sandbox.runj(["start", last]), format!("{runj} delete {last}, then create it anew: ")),
    ] {
        let (shown, outcome) = with(command, &[]).run_at_terminal();
        let shown = strip(&shown);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!((outcome.code(), lines.len()), (1, 2), "{shown}");
        assert!(lines[0].starts_with("runj: "), "{shown}");
        assert!(lines[1].trim_start().starts_with(&advice), "{advice}\n{shown}");
    }
    // Programs get the one line that they know.
    assert_eq!(
        sandbox.runj(["state", "nowhere"]).run().refused(),
        "container does not exist: nowhere"
    );
}

fn a_missing_bundle_s_next_step(sandbox: &Sandbox<'_>) {
    let directory = sandbox.path().join("bare");
    fs::create_dir(&directory).unwrap();
    let create = |id: &str| sandbox.runj(["create", id, "--bundle"]).args([&directory]);
    let (shown, _) = create("web").run_at_terminal();
    let advice = format!("runj spec --bundle {}", directory.display());
    assert!(shown.contains(&advice), "{shown}");
    // It is as good as it says.
    sandbox.runj(["spec", "--bundle"]).args([&directory]).run().succeeded_silently();
    let (shown, _) = create("web").run_at_terminal();
    assert!(!shown.contains("config.json\""), "{shown}");
}

fn man_pages_for_every_verb(sandbox: &Sandbox<'_>) {
    let directory = sandbox.path().join("man8");
    let man = || sandbox.runj(["man"]).args([&directory]).run();
    // What cannot be a directory is refused.
    fs::write(&directory, "").unwrap();
    let message = man().refused();
    assert!(message.starts_with(&format!("{directory:?}: ")), "{message}");
    fs::remove_file(&directory).unwrap();
    man().succeeded_silently();
    let help = sandbox.runj(["--help"]).run().succeeded();
    let verbs = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let named = verbs.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut count = 0;
    for verb in named.map(|line| line.split_whitespace().next().unwrap()) {
        let page = fs::read_to_string(directory.join(format!("runj-{verb}.8"))).expect(verb);
        assert!(page.contains(&format!(".TH runj-{verb} 8")), "{verb}: {page}");
        count += 1;
    }
    assert!(count > 9, "{help}");
}
