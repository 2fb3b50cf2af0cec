//! For zsh(1).

use std::fmt::Write as _;

use super::Place;
use crate::Item;
use crate::choice::words;
use crate::item::Role;
use crate::text::brief;

pub(super) fn script(program: &str, places: &[Place]) -> String {
    let mut script = format!("#compdef {program}\n# Completions of {program} for zsh(1).\n");
    for place in places {
        function(&mut script, place);
    }
    // As a file in fpath it is the function's body; sourced, it has to say what it is for.
    // Writing to a String does not fail.
    let _ = write!(
        script,
        "\nif [ \"$funcstack[1]\" = \"_{program}\" ]; then\n    _{program} \"$@\"\nelse\n    \
         compdef _{program} {program}\nfi\n"
    );
    script
}

fn function(script: &mut String, place: &Place) {
    let _ = writeln!(script, "\n_{}() {{", place.name);
    script.push_str(
        "    local curcontext=\"$curcontext\" state state_descr line\n    typeset -A opt_args\n",
    );
    script.push_str("    _arguments -s -S -C \\\n");
    for flag in &place.flags {
        for spec in flag_specs(flag) {
            let _ = writeln!(script, "        '{spec}' \\");
        }
    }
    if place.verbs.is_empty() {
        for (index, operand) in place.operands.iter().enumerate() {
            let (name, action) = (quoted(operand.name), action(operand));
            // After the last word that is ours there are no flags.
            let last = if place.ours() == Some(index + 1) { "(-)" } else { "" };
            let _ = writeln!(script, "        '{last}{}:{name}:{action}' \\", index + 1);
            if matches!(operand.role, Role::Trailing) {
                let _ = writeln!(script, "        '*:{name}:{action}' \\");
            }
        }
        script.push_str("        && return\n}\n");
        return;
    }
    script.push_str("        '1: :->command' '*:: :->arguments' && return\n");
    script.push_str("    case $state in\n    command)\n        local -a commands=(\n");
    for verb in place.verbs {
        let _ = writeln!(script, "            '{}:{}'", verb.name, quoted(&brief(verb.about)));
    }
    script.push_str("        )\n        _describe command commands\n        ;;\n    arguments)\n");
    script.push_str("        case $line[1] in\n");
    for verb in place.verbs {
        let _ = writeln!(script, "        {}) _{} ;;", verb.name, place.after(verb));
    }
    script.push_str("        esac\n        ;;\n    esac\n}\n");
}

fn flag_specs(flag: &Item) -> Vec<String> {
    let about = quoted(&brief(flag.about));
    let name = quoted(flag.value);
    let value = match flag.role {
        Role::Switch => String::new(),
        Role::Attached(_) => format!("::{name}:{}", action(flag)),
        _ => format!(":{name}:{}", action(flag)),
    };
    // `=` lets the value be in the same word or in the next, `=-` in the same alone.
    let joint = match flag.role {
        Role::Switch => "",
        Role::Attached(_) => "=-",
        _ => "=",
    };
    let repeated = if matches!(flag.role, Role::Repeated) { "*" } else { "" };
    let mut specs = vec![format!("{repeated}--{}{joint}[{about}]{value}", flag.name)];
    if let Some(letter) = flag.short {
        let joint = if flag.takes_value() { "+" } else { "" };
        specs.push(format!("{repeated}-{letter}{joint}[{about}]{value}"));
    }
    specs
}

fn action(item: &Item) -> String {
    if item.is_path {
        return "_files".to_owned();
    }
    match item.choices {
        [] => " ".to_owned(),
        choices => format!("({})", words(choices, " ")),
    }
}

/// What stands within single quotes, and is not taken for syntax of _arguments.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for letter in text.chars() {
        match letter {
            '\'' => quoted.push_str("'\\''"),
            ':' | '[' | ']' | '\\' => quoted.extend(['\\', letter]),
            _ => quoted.push(letter),
        }
    }
    quoted
}
