//! The page about what was verified where, made of what test programs said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// What the script that runs the tests prints when it is done, before the results.
pub(crate) const MARK: &str = "--- results";

/// What came of every case on one machine, read from what the script prints behind [`MARK`]:
/// lines of the test programs, each behind the program's name, and what machine it was.
#[derive(Debug, Default)]
pub(crate) struct Results {
    machine: String,
    date: String,
    suites: BTreeMap<String, BTreeMap<String, Outcome>>,
    reading: bool,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// Not tried, for that reason if one was given.
    Ignored(String),
}

impl Results {
    /// Takes the next line of what the script prints.
    pub(crate) fn line(&mut self, line: &str) {
        if line == MARK {
            self.reading = true;
            return;
        }
        if !self.reading {
            return;
        }
        if let Some(machine) = line.strip_prefix("machine ") {
            machine.clone_into(&mut self.machine);
        } else if let Some(date) = line.strip_prefix("date ") {
            date.clone_into(&mut self.date);
        } else if let Some((suite, case, outcome)) = case(line) {
            let suite = self.suites.entry(suite.to_owned()).or_default();
            // Tried more than once, as with several releases of containerd, it passed if it always
            // did.
            if suite.get(case) != Some(&Outcome::Failed) {
                suite.insert(case.to_owned(), outcome);
            }
        }
    }

    /// Whether the script came to its end.
    pub(crate) fn is_complete(&self) -> bool {
        !self.machine.is_empty()
    }
}

/// Reads `SUITE: test CASE ... OUTCOME`, as libtest and libtest-mimic write it. The latter may have a
/// kind before the case, in brackets.
fn case(line: &str) -> Option<(&str, &str, Outcome)> {
    let (suite, line) = line.split_once(": test ")?;
    let (case, outcome) = line.split_once(" ... ")?;
    let case = match case.strip_prefix('[') {
        Some(kind) => kind.split_once("] ")?.1,
        None => case,
    };
    let outcome = match outcome {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        _ => {
            let reason = outcome.strip_prefix("ignored")?;
            // `, reason` or ` (reason)`.
            let reason = reason.trim_start_matches([',', ' ', '(']).trim_end_matches(')');
            Outcome::Ignored(reason.to_owned())
        }
    };
    Some((suite, case.trim(), outcome))
}

/// What is known of a case on the two kinds of host.
#[derive(Clone, Copy)]
struct Row<'a> {
    freebsd: Option<&'a Outcome>,
    here: Option<&'a Outcome>,
}

impl Row<'_> {
    fn passed_everywhere(self) -> bool {
        [self.freebsd, self.here].into_iter().all(|outcome| outcome == Some(&Outcome::Passed))
    }
}

/// Writes the page: what FreeBSD did with each case, and, where it was tried as well, the
/// development host.
pub(crate) fn write(
    file: &Path,
    commit: &str,
    freebsd: &Results,
    here: Option<&Results>,
) -> io::Result<()> {
    fs::write(file, page(commit, freebsd, here))
}

fn page(commit: &str, freebsd: &Results, here: Option<&Results>) -> String {
    let nothing = Results::default();
    let other = here.unwrap_or(&nothing);
    let names: BTreeSet<&String> = freebsd.suites.keys().chain(other.suites.keys()).collect();
    let suites: Vec<(&str, BTreeMap<&str, Row<'_>>)> =
        names.into_iter().map(|name| (name.as_str(), rows(name, freebsd, other))).collect();

    let mut page = format!(
        "# What was seen to work\n\n\
         `cargo xtask freebsd test --report` wrote this page from a run of the tests; nothing in it \
         is written by hand. [freebsd.md](freebsd.md) tells how to repeat it.\n\n\
         | | machine | date |\n|---|---|---|\n\
         | FreeBSD | {} | {} |\n",
        freebsd.machine, freebsd.date
    );
    if here.is_some() {
        let _ = writeln!(page, "| development host | {} | {} |", other.machine, other.date);
    }
    let _ = writeln!(page, "\nThe source was {commit}.\n\n## Suites\n");
    totals(&mut page, &suites);
    exceptions(&mut page, &suites, here.is_some());
    lists(&mut page, &suites, here.is_some());
    page
}

fn rows<'a>(suite: &str, freebsd: &'a Results, here: &'a Results) -> BTreeMap<&'a str, Row<'a>> {
    let of = |results: &'a Results| results.suites.get(suite);
    let cases = of(freebsd).into_iter().chain(of(here)).flat_map(BTreeMap::keys);
    cases
        .map(|case| {
            let outcome = |results: &'a Results| of(results).and_then(|suite| suite.get(case));
            (case.as_str(), Row { freebsd: outcome(freebsd), here: outcome(here) })
        })
        .collect()
}

type Suites<'a> = [(&'a str, BTreeMap<&'a str, Row<'a>>)];

/// How many cases of each suite passed, failed or were not tried.
fn totals(page: &mut String, suites: &Suites<'_>) {
    page.push_str(
        "A case that was not tried on a host is not verified there.\n\n\
         | suite | cases | FreeBSD: passed | failed | not tried | development host: passed | failed \
         | not tried |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (suite, rows) in suites {
        let _ = write!(page, "| {suite} | {} |", rows.len());
        for host in [|row: &Row<'_>| row.freebsd.cloned(), |row: &Row<'_>| row.here.cloned()] {
            let count = |wanted: &Outcome| {
                rows.values().filter(|row| host(row).as_ref() == Some(wanted)).count()
            };
            let (passed, failed) = (count(&Outcome::Passed), count(&Outcome::Failed));
            let _ = write!(page, " {passed} | {failed} | {} |", rows.len() - passed - failed);
        }
        page.push('\n');
    }
}

/// The cases that did not pass everywhere, with what came of them; those that failed come first,
/// and those of one theme and one fate stand together.
fn exceptions(page: &mut String, suites: &Suites<'_>, both: bool) {
    let mut groups: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (suite, rows) in suites {
        for (name, row) in rows.iter().filter(|(_, row)| !row.passed_everywhere()) {
            let (theme, case) = name.rsplit_once("::").unwrap_or(("", name));
            let here = if both { told(row.here) } else { "not tried".to_owned() };
            let passed = ![row.freebsd, row.here].contains(&Some(&Outcome::Failed));
            groups.entry((passed, suite, theme, told(row.freebsd), here)).or_default().push(case);
        }
    }
    page.push_str(
        "\n## Failed, or not verified\n\n\
         | suite | cases | FreeBSD | development host |\n|---|---|---|---|\n",
    );
    for ((_, suite, theme, freebsd, here), cases) in groups {
        let cases = cases.join(", ");
        let cases = if theme.is_empty() { cases } else { format!("**{theme}**: {cases}") };
        let _ = writeln!(page, "| {suite} | {cases} | {freebsd} | {here} |");
    }
}

fn told(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(Outcome::Passed) => "passed".to_owned(),
        Some(Outcome::Failed) => "**failed**".to_owned(),
        Some(Outcome::Ignored(reason)) if reason.is_empty() => "not tried".to_owned(),
        Some(Outcome::Ignored(reason)) => format!("not tried: {reason}"),
        None => "no such case".to_owned(),
    }
}

/// The cases that passed everywhere, by suite and theme.
fn lists(page: &mut String, suites: &Suites<'_>, both: bool) {
    if !both {
        return;
    }
    page.push_str("\n## Passed on both\n");
    for (suite, rows) in suites {
        let mut themes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for case in rows.iter().filter(|(_, row)| row.passed_everywhere()).map(|(case, _)| case) {
            let (theme, case) = case.rsplit_once("::").unwrap_or(("", case));
            themes.entry(theme).or_default().push(case);
        }
        if themes.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n### {suite}\n");
        for (theme, cases) in themes {
            let theme = if theme.is_empty() { String::new() } else { format!("**{theme}**: ") };
            let _ = writeln!(page, "- {theme}{}", cases.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(lines: &str) -> Results {
        let mut results = Results::default();
        lines.lines().for_each(|line| results.line(line));
        results
    }

    const FREEBSD: &str = "\
test before::the_mark ... ok
--- results
date 2026-11-23
runj-jail.jails: test a::works      ... ok
runj-jail.jails: test a::breaks     ... FAILED
runj-jail.jails: test b::is_skipped ... ignored (no IPv6 here)
runj-spec.spec: test reads - should panic ... ok
machine FreeBSD 13.2-RELEASE amd64";

    #[test]
    fn lines_of_both_harnesses_are_read() {
        let read = results(FREEBSD);
        assert!(read.is_complete());
        let jails = &read.suites["runj-jail.jails"];
        assert_eq!(jails.len(), 3);
        assert_eq!(jails["a::works"], Outcome::Passed);
        assert_eq!(jails["a::breaks"], Outcome::Failed);
        assert_eq!(jails["b::is_skipped"], Outcome::Ignored("no IPv6 here".into()));
        assert_eq!(read.suites["runj-spec.spec"]["reads - should panic"], Outcome::Passed);
        let ignored = case("s: test c ... ignored, needs root").unwrap();
        assert_eq!(ignored, ("s", "c", Outcome::Ignored("needs root".into())));
        assert_eq!(case("s: test [1.7] a::b ... ok").unwrap(), ("s", "a::b", Outcome::Passed));
    }

    #[test]
    fn a_case_that_was_tried_often_passed_if_it_always_did() {
        let read = results("--- results\ns: test [1] c ... FAILED\ns: test [2] c ... ok");
        assert_eq!(read.suites["s"]["c"], Outcome::Failed);
    }

    #[test]
    fn a_run_that_broke_off_is_not_complete() {
        assert!(!results("--- results\ns: test c ... ok").is_complete());
    }

    #[test]
    fn what_did_not_pass_everywhere_is_listed_with_its_reason() {
        let here = results(
            "--- results\nrunj-jail.jails: test a::works ... ok\n\
             runj-jail.jails: test c::emulated ... ok\nmachine Linux 6.1 x86_64",
        );
        let page = page("abc", &results(FREEBSD), Some(&here));
        for line in [
            "| FreeBSD | FreeBSD 13.2-RELEASE amd64 | 2026-11-23 |",
            "| runj-jail.jails | 4 | 1 | 1 | 2 | 2 | 0 | 2 |",
            "| runj-jail.jails | **a**: breaks | **failed** | no such case |",
            "| runj-jail.jails | **b**: is_skipped | not tried: no IPv6 here | no such case |",
            "| runj-jail.jails | **c**: emulated | no such case | passed |",
            "- **a**: works",
        ] {
            assert!(page.lines().any(|other| other == line), "{line:?} is not in\n{page}");
        }
    }
}
