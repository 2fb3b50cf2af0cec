//! What a definition must not have.

use std::collections::BTreeSet;

use crate::command::{Definition, walk};
use crate::given::full_name;
use crate::help::items;
use crate::item::{Item, Role};

/// What is wrong with the definition of a program and of its commands, for its tests: two things of
/// one name, names that nothing has, defaults that nobody takes, operands that no word can reach.
pub fn flaws(program: &'static Definition) -> Vec<String> {
    let mut flaws = Vec::new();
    walk(&[program], &mut |path| {
        let name = full_name(path);
        flaws.extend(of_command(path).into_iter().map(|flaw| format!("{name}: {flaw}")));
    });
    flaws
}

fn of_command(path: &[&'static Definition]) -> Vec<String> {
    let items = items(path);
    let mut flaws = Vec::new();
    let mut names = BTreeSet::new();
    for item in &items {
        let short = item.short.map(|letter| format!("-{letter}"));
        let alias = item.alias.map(|alias| format!("--{alias}"));
        for name in [Some(item.shown()), short, alias].into_iter().flatten() {
            if matches!(item.role, Role::Verbs(_)) || names.insert(name.clone()) {
                continue;
            }
            flaws.push(format!("there are two {name}"));
        }
        for other in item.instead_of.iter().chain(item.unless) {
            if !items.iter().any(|item| item.name == *other) {
                flaws.push(format!("{}: there is no {other}", item.shown()));
            }
        }
        flaws.extend(of_default(item));
    }
    let operands: Vec<_> = items.iter().filter(|item| item.is_operand()).collect();
    for pair in operands.windows(2) {
        let [before, after] = pair else { continue };
        let needed = |item: &Item| matches!(item.role, Role::Operand) && item.default.is_none();
        if matches!(before.role, Role::Trailing) || (!needed(before) && needed(after)) {
            flaws.push(format!("{} cannot come after {}", after.name, before.name));
        }
    }
    let verbs = path.last().map(|command| command.verbs()).unwrap_or_default();
    if !verbs.is_empty() && !operands.is_empty() {
        flaws.push("there are operands beside commands".to_owned());
    }
    flaws
}

fn of_default(item: &Item) -> Option<String> {
    let default = item.default?;
    if matches!(item.role, Role::Switch | Role::Repeated | Role::Trailing | Role::Attached(_)) {
        return Some(format!("{}: a default is not taken", item.shown()));
    }
    let known = item.choices.iter().any(|choice| choice.word == default);
    let wrong = !item.choices.is_empty() && !known;
    wrong.then(|| format!("{}: {default} is none of the values", item.shown()))
}
