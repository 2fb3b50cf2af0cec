//! What runj makes of each field of a bundle's documents: the table `tests/coverage.json`, which the
//! tests hold runj to and docs/coverage.md shows.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// The table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Its parts, in the order of the specification.
    pub sections: Vec<Section>,
}

/// A part of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// What holds for all of it; may be empty.
    pub about: String,
    /// The document that has the fields: `config.json` or `runj.ext.json`.
    pub file: String,
    /// A row for each field that has no fields of its own.
    pub rows: Vec<Row>,
}

/// What becomes of a field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its path, in which `[]` stands for every element of a list: `mounts[].type`. Elements that
    /// are no objects go without it: `process.args`.
    pub field: String,
    /// What becomes of it.
    pub status: Status,
    /// What it does, or why it is refused or ignored.
    pub how: String,
    /// The cases of the suite `containers` that fail when it is not so, as `THEME::CASE`.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Values of the right type that are refused all the same. Of a list, each as its first element.
    #[serde(default)]
    pub wrong: Vec<Value>,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It does what the specification says, or is an error.
    Implemented,
    /// Whatever it says is an error.
    Refused,
    /// It is ignored, whatever it says, and the row has the reason.
    NotApplicable,
}

impl Coverage {
    /// Where the table is shown, from the root of the workspace.
    pub const PAGE: &'static str = "docs/coverage.md";

    /// The table.
    ///
    /// # Panics
    ///
    /// When the file is not as it should be.
    #[must_use]
    pub fn table() -> Self {
        serde_json::from_str(include_str!("../coverage.json")).unwrap()
    }

    /// All rows, with the document of each.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Row)> {
        self.sections
            .iter()
            .flat_map(|section| section.rows.iter().map(|row| (section.file.as_str(), row)))
    }

    /// The page that shows the table.
    ///
    /// # Panics
    ///
    /// Never: a text can always be written to.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = PREFACE.to_owned();
        for section in &self.sections {
            write!(page, "\n## {}\n\n", section.title).unwrap();
            if !section.about.is_empty() {
                write!(page, "{}\n\n", section.about).unwrap();
            }
            page.push_str("| field | status | what it does here, or why not | tests |\n");
            page.push_str("|---|---|---|---|\n");
            for row in &section.rows {
                let tests: Vec<_> = row.tests.iter().map(|test| format!("`{test}`")).collect();
                let (field, how) = (&row.field, row.how.replace('|', "\\|"));
                let (status, tests) = (row.status.words(), tests.join(", "));
                writeln!(page, "| `{field}` | {status} | {how} | {tests} |").unwrap();
            }
        }
        page
    }
}

impl Row {
    /// Whether the field is ignored, whatever it says.
    #[must_use]
    pub fn is_ignored(&self) -> bool {
        self.status == Status::NotApplicable
    }
}

impl Status {
    fn words(self) -> &'static str {
        match self {
            Self::Implemented => "implemented",
            Self::Refused => "refused",
            Self::NotApplicable => "not applicable",
        }
    }
}

const PREFACE: &str = "\
# What runj makes of each field

<!-- `cargo xtask coverage` writes this page from tests/coverage.json. -->

All fields of config.json as the OCI runtime specification 1.3 has them (config.md, config-freebsd.md, and of
config-linux.md what could concern a jail), runj's own, and those of runj.ext.json.

- **implemented**: it does what it says, or is an error with its path.
- **refused**: whatever it says is an error with its path.
- **not applicable**: it is ignored, whatever it says. The specification asks that of a runtime for fields
  that are not its platform's.

The tests are cases of `tests/tests/containers`, which run the real `runj` on FreeBSD and on the Linux
development host. Its theme `coverage` holds this table to the truth: it gives nonsense to every field of
the configurations in `coverage/good`, one at a time, and expects an error that names the very path or, where the table has
a reason to ignore the field, none. A field that runj knows and the table does not fails it, and so does a
row without a field, or a test that there is not.
";
