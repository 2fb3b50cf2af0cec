//! Nothing is silently dropped: every field of a configuration does what it says, or is refused, or
//! `tests/coverage.json` has the reason why it is ignored.

mod examples;
mod place;

use std::collections::BTreeSet;
use std::fs;

use runj_spec::{Config, Extension};
use runj_tests::coverage::{Coverage, Row, Status};
use runj_tests::{Bundle, Sandbox};
use serde_json::{Map, Value, json};

use self::examples::{BAD, CONFIG, EXTENSION, Example, GOOD};
use self::place::{Place, places};
use crate::case::cases;

cases![
    good_configurations_are_accepted: Nothing,
    bad_configurations_are_refused_with_every_path: Nothing,
    nonsense_in_any_field_is_told_with_its_path: Nothing,
    every_field_that_is_known_has_a_row: Nothing,
    every_test_that_is_named_exists: Nothing,
    the_page_shows_the_table: Nothing,
];

/// What `runj config check` finds in a bundle of these documents.
fn problems(sandbox: &Sandbox<'_>, bundle: &Bundle, documents: &Map<String, Value>) -> Vec<String> {
    for file in [CONFIG, EXTENSION] {
        let path = bundle.dir().join(file);
        match documents.get(file) {
            Some(document) => fs::write(path, document.to_string()).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }
    let outcome = sandbox.runj(["config", "check"]).args([bundle.dir()]).run();
    let problems: Vec<_> = outcome.stdout().lines().map(str::to_owned).collect();
    let code = i32::from(!problems.is_empty());
    assert_eq!(outcome.code(), code, "{problems:#?} {}", outcome.stderr());
    problems
}

fn good_configurations_are_accepted(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    for Example { name, documents, .. } in examples::read(GOOD) {
        assert_eq!(problems(sandbox, &bundle, &documents), [""; 0], "{name}");
    }
}

fn bad_configurations_are_refused_with_every_path(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    for Example { name, documents, refused } in examples::read(BAD) {
        let problems = problems(sandbox, &bundle, &documents);
        assert!(!refused.is_empty(), "{name} is a good one");
        assert_eq!(problems.len(), refused.len(), "{name}: {problems:#?}");
        for place in &refused {
            let start = format!("{place}: ");
            assert!(problems.iter().any(|it| it.starts_with(&start)), "{name}: {problems:#?}");
        }
    }
}

/// Values of types that no field has that takes `value`.
fn of_other_types(value: &Value) -> [Value; 2] {
    match value {
        Value::Null | Value::String(_) => [json!(7), json!({})],
        Value::Bool(_) => [json!("nonsense"), json!(2)],
        Value::Number(_) => [json!("nonsense"), json!([])],
        Value::Array(_) => [json!(7), json!({})],
        Value::Object(_) => [json!(7), json!("nonsense")],
    }
}

fn nonsense_in_any_field_is_told_with_its_path(sandbox: &Sandbox<'_>) {
    let table = Coverage::table();
    let mut walk = Walk {
        sandbox,
        bundle: sandbox.bundle(),
        table: &table,
        seen: BTreeSet::new(),
        failures: Vec::new(),
    };
    for example in examples::read(GOOD) {
        for file in example.documents.keys() {
            walk.fields(&example, file);
        }
    }
    walk.refused_fields();
    for (file, row) in table.rows() {
        if !walk.seen.contains(&(file.to_owned(), row.field.clone())) {
            walk.failures.push(format!("{file}: {} is in no configuration", row.field));
        }
    }
    assert!(walk.failures.is_empty(), "{:#?}", walk.failures);
}

/// Nonsense in one field after the other.
struct Walk<'w> {
    sandbox: &'w Sandbox<'w>,
    bundle: Bundle,
    table: &'w Coverage,
    /// The files and fields that were met.
    seen: BTreeSet<(String, String)>,
    failures: Vec<String>,
}

impl Walk<'_> {
    /// All fields that a good configuration has in one of its documents.
    fn fields(&mut self, Example { name, documents, .. }: &Example, file: &str) {
        let mut ignored = documents.clone();
        for (place, value) in places(&documents[file]) {
            let pattern = place.pattern();
            let row = match Standing::of(self.table, file, &pattern) {
                Standing::Section => None,
                Standing::Row(row) => Some(row),
                Standing::Unknown => {
                    self.failures.push(format!("{name}: {file}: {pattern} has no row"));
                    continue;
                }
            };
            if let Some(row) = row {
                self.seen.insert((file.to_owned(), row.field.clone()));
            }
            let is_leaf = !value.is_array() && !value.is_object();
            let wrong_types = of_other_types(&value);
            if row.map_or_else(|| ignored_section(self.table, file, &pattern), Row::is_ignored) {
                let [nonsense, _] = wrong_types;
                if is_leaf {
                    // All of these at once, below.
                    *place.value_in(&mut ignored[file]) = nonsense;
                } else {
                    let mut changed = documents.clone();
                    *place.value_in(&mut changed[file]) = nonsense;
                    self.expect_ignored(&format!("{name}: {place}"), &changed);
                }
                continue;
            }
            let wrong = row.filter(|_| is_leaf).map(|row| row.wrong.clone()).unwrap_or_default();
            for nonsense in wrong_types.into_iter().chain(wrong) {
                let mut changed = documents.clone();
                *place.value_in(&mut changed[file]) = nonsense.clone();
                self.expect_told(file, &place, &nonsense, &changed);
            }
        }
        self.expect_ignored(&format!("{name}: {file}"), &ignored);
    }

    /// Those that are refused whatever they say, and so are in no good configuration.
    fn refused_fields(&mut self) {
        let good = examples::read(&[GOOD[0]]).remove(0).documents;
        let table = self.table;
        for (file, row) in table.rows().filter(|(_, row)| row.status == Status::Refused) {
            assert!(!row.wrong.is_empty(), "{}: what is refused?", row.field);
            self.seen.insert((file.to_owned(), row.field.clone()));
            let place = Place::first_of(&row.field);
            for value in &row.wrong {
                let mut changed = good.clone();
                place.set_in(&mut changed[file], value.clone());
                self.expect_told(file, &place, value, &changed);
            }
        }
    }

    fn expect_told(
        &mut self,
        file: &str,
        place: &Place,
        nonsense: &Value,
        documents: &Map<String, Value>,
    ) {
        let problems = problems(self.sandbox, &self.bundle, documents);
        let start = format!("{file}: {place}: ");
        if !problems.iter().any(|problem| problem.starts_with(&start)) {
            self.failures.push(format!("{start}{nonsense} is not told of: {problems:?}"));
        }
    }

    fn expect_ignored(&mut self, place: &str, documents: &Map<String, Value>) {
        let problems = problems(self.sandbox, &self.bundle, documents);
        if !problems.is_empty() {
            self.failures.push(format!("{place} is not ignored: {problems:?}"));
        }
    }
}

/// Whether there is nothing in that section that counts.
fn ignored_section(table: &Coverage, file: &str, section: &str) -> bool {
    let inside = |row: &Row| is_below(&row.field, section);
    table.rows().filter(|(of, row)| *of == file && inside(row)).all(|(_, row)| row.is_ignored())
}

/// Whether the one pattern is in the other.
fn is_below(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// What the table has to say of a place.
enum Standing<'t> {
    /// It says something of what is below it.
    Section,
    /// This.
    Row(&'t Row),
    /// Nothing.
    Unknown,
}

impl<'t> Standing<'t> {
    fn of(table: &'t Coverage, file: &str, pattern: &str) -> Self {
        let rows = || table.rows().filter(|(of, _)| *of == file).map(|(_, row)| row);
        let exact = |row: &&Row| row.field == pattern;
        // The elements of a list, the entries of an object, all that is in what is ignored.
        let around = |row: &&Row| is_below(pattern, &row.field);
        if let Some(row) = rows().find(exact).or_else(|| rows().find(around)) {
            return Self::Row(row);
        }
        if rows().any(|row| is_below(&row.field, pattern)) { Self::Section } else { Self::Unknown }
    }
}

fn every_field_that_is_known_has_a_row(_: &Sandbox<'_>) {
    let table = Coverage::table();
    let mut failures = Vec::new();
    let mut known = BTreeSet::new();
    for example in examples::read(GOOD) {
        for field in Config::properties(example.documents[CONFIG].clone()) {
            known.insert((CONFIG, field));
        }
    }
    schema_fields(&Extension::json_schema(), &Place::default(), &mut known);
    for (file, field) in &known {
        match Standing::of(&table, file, field) {
            Standing::Unknown => failures.push(format!("{file}: {field} has no row")),
            Standing::Row(row) if row.is_ignored() => {
                failures.push(format!("{file}: {field} is said to be ignored"));
            }
            _ => {}
        }
    }
    for (file, row) in table.rows() {
        if row.how.is_empty() {
            failures.push(format!("{}: it is not said how or why", row.field));
        }
        if row.is_ignored() != row.tests.is_empty() {
            failures.push(format!("{}: {:?}, proved by {:?}", row.field, row.status, row.tests));
        }
        // Annotations have names that the decoder does not look for.
        let of_config = row.status == Status::Implemented && !row.field.contains('"');
        if of_config && !known.contains(&(file, row.field.clone())) {
            failures.push(format!("{file}: {} is not looked for", row.field));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The properties of runj.ext.json, as its schema has them.
fn schema_fields(schema: &Value, place: &Place, known: &mut BTreeSet<(&'static str, String)>) {
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        let place = place.clone().key(key);
        known.insert((EXTENSION, place.pattern()));
        schema_fields(schema, &place, known);
    }
}

fn every_test_that_is_named_exists(_: &Sandbox<'_>) {
    let themes = crate::themes();
    let names: BTreeSet<String> = themes
        .iter()
        .flat_map(|theme| theme.cases.iter().map(|case| format!("{}::{}", theme.name, case.name)))
        .collect();
    for (file, row) in Coverage::table().rows() {
        for test in &row.tests {
            assert!(names.contains(test), "{file}: {}: {test}", row.field);
        }
    }
}

fn the_page_shows_the_table(_: &Sandbox<'_>) {
    let page = include_str!("../../../../docs/coverage.md");
    assert!(page == Coverage::table().page(), "`cargo xtask coverage` writes {}", Coverage::PAGE);
}
