//! For fish(1).

use std::fmt::Write as _;

use super::Place;
use crate::item::Role;
use crate::text::brief;

pub(super) fn script(program: &str, places: &[Place]) -> String {
    let mut ways = String::new();
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
        for word in place.words() {
            let _ = writeln!(script, "{here} -f -a {word}");
        }
        if place.has_paths() {
            let _ = writeln!(script, "{here} -F");
        }
        for flag in &place.flags {
            let short = flag.short.map_or(String::new(), |letter| format!(" -s {letter}"));
            let choices: Vec<&str> = flag.choices.iter().map(|choice| choice.word).collect();
            let value = match flag.role {
                Role::Switch => "",
                _ if flag.is_path() => " -r -F",
                _ => " -x",
            };
            let choices = match choices.as_slice() {
                [] => String::new(),
                choices => format!(" -a '{}'", choices.join(" ")),
            };
            let about = quoted(&brief(flag.about));
            let _ = writeln!(script, "{here}{short} -l {}{value}{choices} -d {about}", flag.name);
        }
    }
    format!(
        "# Completions of {program} for fish(1).
function __{program}_at
    set -l place {program}
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $place,$word
{ways}        end
    end
    test $place = $argv[1]
end
complete -c {program} -f
{script}"
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
