//! For fish(1).

use std::fmt::Write as _;

use super::Place;
use crate::Item;
use crate::choice::words;
use crate::item::Role;
use crate::text::brief;

pub(super) fn script(program: &str, places: &[Place]) -> String {
    let mut ways = String::new();
    let mut ends = String::new();
    let mut script = String::new();
    // Writing to a String does not fail.
    for place in places {
        let here = format!("complete -c {program} -n '__{program}_at {}'", place.name);
        for verb in place.verbs {
            let after = place.after(verb);
            let _ = writeln!(
                ways,
                "            case {},{}\n                set place {after}",
                place.name, verb.name
            );
            let about = quoted(&brief(verb.about));
            let _ = writeln!(script, "{here} -f -a {} -d {about}", verb.name);
        }
        if let Some(names) = place.valued() {
            let names: Vec<_> = names.map(|name| format!("{},{name}", place.name)).collect();
            let _ =
                writeln!(ways, "            case {}\n                set skip 1", names.join(" "));
        }
        if let Some(ours) = place.ours() {
            let _ = writeln!(
                ends,
                "        case {}\n            test (count $operands) -ge {ours}; and return 1",
                place.name
            );
        }
        for (index, operand) in place.operands.iter().enumerate() {
            let here = format!("complete -c {program} -n '__{program}_at {} {index}'", place.name);
            if operand.is_path {
                let _ = writeln!(script, "{here} -F");
            }
            if !operand.choices.is_empty() {
                let _ = writeln!(script, "{here} -f{}", choices(operand));
            }
        }
        for flag in &place.flags {
            let short = flag.short.map_or(String::new(), |letter| format!(" -s {letter}"));
            let value = match flag.role {
                Role::Switch => "",
                _ if flag.is_path => " -r -F",
                _ => " -x",
            };
            let (choices, about) = (choices(flag), quoted(&brief(flag.about)));
            let _ = writeln!(script, "{here}{short} -l {}{value}{choices} -d {about}", flag.name);
        }
    }
    format!(
        "# Completions of {program} for fish(1).
# Whether the cursor is at the place, after so many operands if that is given.
function __{program}_at
    set -l place {program}
    set -l operands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $place,$word
{ways}            case '*,-*'
            case '*'
                set -a operands $word
        end
    end
    # What comes is a program's.
    switch $place
{ends}    end
    test $place = $argv[1]; or return
    test (count $argv) = 1; or test (count $operands) = $argv[2]
end
complete -c {program} -f
{script}"
    )
}

fn choices(item: &Item) -> String {
    match item.choices {
        [] => String::new(),
        choices => format!(" -a '{}'", words(choices, " ")),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
