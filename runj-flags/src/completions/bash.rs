//! For bash(1), 3.2 or later, without the package bash-completion.

use std::fmt::Write as _;

use super::Place;

pub(super) fn script(program: &str, places: &[Place]) -> String {
    let mut ways = String::new();
    let mut offers = String::new();
    // Writing to a String does not fail.
    for place in places {
        for verb in place.verbs {
            let _ = writeln!(
                ways,
                "            {},{}) place={} ;;",
                place.name,
                verb.name,
                place.after(verb)
            );
        }
        let mut words: Vec<String> = place.verbs.iter().map(|verb| verb.name.into()).collect();
        words.extend(place.words().map(str::to_owned));
        words.extend(place.flags.iter().map(|flag| format!("--{}", flag.name)));
        if let Some(names) = place.valued() {
            let names: Vec<_> = names.map(|name| format!("{},{name}", place.name)).collect();
            let _ = writeln!(ways, "            {}) skip=1 ;;", names.join("|"));
        }
        let _ = writeln!(offers, "        {})", place.name);
        if let Some(before) = place.before_the_rest() {
            let _ = writeln!(offers, "            rest=$((operands > {before}))");
        }
        let _ = writeln!(offers, "            words='{}'", words.join(" "));
        if place.has_paths() {
            offers.push_str("            files=1\n");
        }
        let valued: Vec<_> = place.flags.iter().filter(|flag| flag.takes_value()).collect();
        if !valued.is_empty() {
            offers.push_str("            case $before in\n");
            for flag in valued {
                let short = flag.short.map_or(String::new(), |letter| format!("|-{letter}"));
                let choices: Vec<&str> = flag.choices.iter().map(|choice| choice.word).collect();
                let files = i32::from(flag.is_path());
                let _ = writeln!(
                    offers,
                    "                --{}{short}) words='{}' files={files} ;;",
                    flag.name,
                    choices.join(" ")
                );
            }
            offers.push_str("            esac\n");
        }
        offers.push_str("            ;;\n");
    }
    format!(
        r#"# Completions of {program} for bash(1).
_{program}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local place={program} words= files= operands=0 rest=0 skip index
    # To bash, = is a word of its own.
    if [[ $current == = ]]; then
        current=
    elif [[ $before == = ]]; then
        before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    for ((index = 1; index < COMP_CWORD; index++)); do
        skip=0
        case $place,${{COMP_WORDS[index]}} in
{ways}            *,-*) ;;
            *) ((operands++)) ;;
        esac
        if ((skip)); then
            [[ ${{COMP_WORDS[index+1]}} == = ]] && ((index++))
            ((index++))
        fi
    done
    case $place in
{offers}    esac
    # What comes is a program's.
    if ((rest)); then
        words= files=1
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ $files == 1 && ( $current != -* || $rest == 1 ) ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r index; do
            COMPREPLY+=("$index")
        done < <(compgen -f -- "$current")
    fi
}}
complete -F _{program} {program}
"#
    )
}
