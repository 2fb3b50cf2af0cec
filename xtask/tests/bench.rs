//! What the benchmark reports is what was measured. How fast anything is, is not asserted: only
//! that what is certain to take a time is reported to take it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use bench_report::{FLOOR, FLOOR_IN_ONE_PROCESS, Measure, Report, Series};
use libtest_mimic::{Arguments, Trial};
use nix::unistd::geteuid;
use serde_json::Value;

const SAMPLES: usize = 3;
/// How many milliseconds the slow runtime sleeps in each of its commands.
const SLEEP: f64 = 300.0;

fn main() -> ExitCode {
    let trial = Trial::test("a_report_has_what_was_measured", || {
        a_report_has_what_was_measured();
        Ok(())
    });
    // It makes containers.
    let trials = vec![trial.with_ignored_flag(!geteuid().is_root())];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn a_report_has_what_was_measured() {
    let place = tempfile::tempdir().unwrap();
    let runj = build(&["--package", "runj-cli", "--bin", "runj"], "runj");
    let slow = place.path().join("slow");
    fs::write(&slow, format!("#!/bin/sh\nsleep 0.3\nexec {} \"$@\"\n", runj.display())).unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    let out = place.path().join("report.json");

    let mut measure = Command::new(env!("CARGO_BIN_EXE_bench-measure"));
    measure.arg("--floor").arg(static_floor());
    measure.arg("--runtime").arg(format!("runj={}", runj.display()));
    measure.arg("--runtime").arg(format!("runj:slow={}", slow.display()));
    measure.args(["--samples", "3", "--among", "0,2", "--together", "2"]);
    let status = measure.arg("--out").arg(&out).status().unwrap();
    assert!(status.success(), "{measure:?}: {status}");

    let report = Report::read(&out).unwrap();
    let names: Vec<_> = report.contenders.iter().map(|known| known.name.as_str()).collect();
    assert_eq!(names, [FLOOR, "runj", "runj:slow"]);
    assert!(report.contenders.iter().all(|known| known.bytes > 0 && !known.version.is_empty()));
    let find = |measure, name, among| -> &Series {
        let series = report.find(measure, name, among);
        series.unwrap_or_else(|| panic!("no {measure:?} of {name} among {among}"))
    };
    for name in names {
        for (measure, among) in [
            (Measure::Lifecycle, 0),
            (Measure::LifecycleProcessor, 0),
            (Measure::Create, 0),
            (Measure::Start, 0),
            (Measure::State, 0),
            (Measure::Delete, 0),
            (Measure::Exec, 0),
            (Measure::Kill, 0),
            (Measure::List, 0),
            (Measure::List, 2),
            (Measure::Lifecycle, 2),
            (Measure::Together, 2),
        ] {
            let series = find(measure, name, among);
            assert_eq!(series.samples, SAMPLES, "{measure:?} of {name}");
            let floor = find(measure, FLOOR, among).spread.median;
            assert_eq!(series.to_floor, Some(series.spread.median / floor));
        }
        assert!(find(Measure::PeakOfCreate, name, 0).spread.median > 0.0);
    }
    assert_eq!(find(Measure::Lifecycle, FLOOR_IN_ONE_PROCESS, 0).samples, SAMPLES);

    // Each command sleeps once, and four of them make a lifecycle.
    for (measure, commands) in [
        (Measure::Create, 1.0),
        (Measure::Kill, 1.0),
        (Measure::List, 1.0),
        (Measure::Lifecycle, 4.0),
    ] {
        assert!(find(measure, "runj:slow", 0).spread.least >= commands * SLEEP, "{measure:?}");
    }
}

/// The floor is the container's program as well, and finds no libraries in there.
fn static_floor() -> PathBuf {
    let output = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap();
    let host = String::from_utf8(output.stdout).unwrap();
    let host = host.trim_end();
    let config = format!("target.{host}.rustflags=[\"-Ctarget-feature=+crt-static\"]");
    let target = ["--target", host, "--target-dir", "../target/bench", "--config", &config];
    build(&[&["--package", "xtask", "--bin", "bench-floor"], &target[..]].concat(), "bench-floor")
}

/// Builds a program; where it is.
fn build(args: &[&str], program: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--message-format", "json-render-diagnostics"]).args(args);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.stderr(std::process::Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{cargo:?}: {}", output.status);
    let messages = output.stdout.split(|&byte| byte == b'\n');
    messages
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(|path| Path::new(path).to_owned()))
        .unwrap()
}
