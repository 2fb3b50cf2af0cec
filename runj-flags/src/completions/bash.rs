//! For bash(1), 3.2 or later, without the package bash-completion.

use std::fmt::Write as _;

use super::Place;
use crate::Item;
use crate::choice;

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
        if let Some(names) = place.valued() {
            let names: Vec<_> = names.map(|name| format!("{},{name}", place.name)).collect();
            let _ = writeln!(ways, "            {}) skip=1 ;;", names.join("|"));
        }
        offer(&mut offers, place);
    }
    format!(
        r#"# Completions of {program} for bash(1).
_{program}() {{
    local line=$COMP_LINE place={program} operands=0 skip=0 rest=0 words= files=
    local current before= prefix= breaks=${{COMP_WORDBREAKS//[^=:]/}} word index
    local -a given=()
    # To bash, = and : are words of their own. What is in one piece is one word here.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${{COMP_WORDS[index]}}
        if [[ $index == 0 || $line == [[:space:]]* ]]; then
            given+=("$word")
            line=${{line#"${{line%%[![:space:]]*}}"}}
        else
            given[${{#given[@]}}-1]+=$word
        fi
        line=${{line#"$word"}}
    done
    current=${{given[${{#given[@]}}-1]}}
    for ((index = 1; index < ${{#given[@]}} - 1; index++)); do
        word=${{given[index]}}
        if ((skip)); then
            skip=0
            continue
        fi
        case $place,$word in
{ways}            *,-*) ;;
            *) ((operands++)) ;;
        esac
    done
    # The value of a flag may be a word of its own, or stand behind = in the flag's.
    if ((skip)); then
        before=$word
    elif [[ $current == --*=* ]]; then
        before=${{current%%=*}}
        current=${{current#*=}}
    fi
    # Of a word, bash replaces what is behind the last break.
    if [[ -n $breaks ]]; then
        prefix=${{current%"${{current##*[$breaks]}}"}}
    fi
    case $place in
{offers}    esac
    if ((rest)); then
        words= files=
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ $files == 1 && $current != -* ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do
            COMPREPLY+=("${{word#"$prefix"}}")
        done < <(compgen -f -- "$current")
    fi
}}
complete -F _{program} {program}
"#
    )
}

/// What is offered in a place: a flag or a verb anywhere, operands where they are, and after a flag
/// its values.
fn offer(offers: &mut String, place: &Place) {
    let mut words: Vec<String> = place.verbs.iter().map(|verb| verb.name.into()).collect();
    words.extend(place.flags.iter().map(|flag| format!("--{}", flag.name)));
    let _ = writeln!(offers, "        {})", place.name);
    if let Some(ours) = place.ours() {
        let _ = writeln!(offers, "            rest=$((operands >= {ours}))");
    }
    let _ = writeln!(offers, "            words='{}'", words.join(" "));
    for (index, operand) in place.operands.iter().enumerate().filter(|(_, item)| has_values(item)) {
        let _ = writeln!(
            offers,
            "            ((operands == {index})) && words+=' {}' files={}",
            choice::words(operand.choices, " "),
            i32::from(operand.is_path)
        );
    }
    offers.push_str("            case $before in\n");
    for flag in place.flags.iter().filter(|flag| flag.takes_value()) {
        let short = flag.short.map_or(String::new(), |letter| format!("|-{letter}"));
        let _ = writeln!(
            offers,
            "                --{}{short}) words='{}' files={} ;;",
            flag.name,
            choice::words(flag.choices, " "),
            i32::from(flag.is_path)
        );
    }
    offers.push_str("                ?*) words= files= ;;\n            esac\n            ;;\n");
}

fn has_values(item: &Item) -> bool {
    item.is_path || !item.choices.is_empty()
}
