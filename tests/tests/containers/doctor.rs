//! `runj doctor`: what a host can do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use runj_tests::Sandbox;
use serde_json::Value;

use crate::case::cases;

cases![
    containers_can_run_here,
    what_is_for_people_is_what_is_for_programs: Nothing,
    programs_are_looked_for_in_the_path: Nothing,
    nothing_can_run_in_a_bare_container,
];

/// The finding about `subject`.
#[track_caller]
fn finding<'r>(report: &'r Value, subject: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["subject"] == subject);
    finding.unwrap_or_else(|| panic!("{subject} is not in {report:#}"))
}

/// The other tests show that it is true.
fn containers_can_run_here(sandbox: &Sandbox<'_>) {
    let before = sandbox.host();
    let report = sandbox.runj(["doctor", "--json"]).run().json();
    sandbox.host().assert_unchanged_since(&before);
    assert_eq!(report["containersCanRun"], true, "{report:#}");
    for finding in report["findings"].as_array().unwrap() {
        assert_ne!(finding["standing"], "blocks", "{finding}");
    }
    assert_eq!(finding(&report, "kernel")["standing"], "fine");
    assert_eq!(finding(&report, "user")["says"], "root");
    let subjects: &[&str] = if cfg!(target_os = "freebsd") {
        // The tests mount these, and use stacks of containers' own.
        &["nullfs", "devfs", "tmpfs", "fdescfs", "VIMAGE", "IPv4"]
    } else {
        &["namespaces", "seccomp", "capabilities", "file systems"]
    };
    for subject in subjects {
        assert_eq!(finding(&report, subject)["standing"], "fine", "{subject}: {report:#}");
    }
    if cfg!(target_os = "linux") {
        assert_eq!(finding(&report, "security")["standing"], "lacks");
    }
}

fn what_is_for_people_is_what_is_for_programs(sandbox: &Sandbox<'_>) {
    let report = sandbox.runj(["doctor", "--json"]).run();
    let shown = sandbox.runj(["doctor"]).run();
    assert_eq!((report.stderr(), shown.stderr()), (String::new(), String::new()));
    assert_eq!(report.code(), shown.code());
    let (report, shown) =
        (serde_json::from_str::<Value>(&report.stdout()).unwrap(), shown.stdout());
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    for finding in report["findings"].as_array().unwrap() {
        for part in ["subject", "says", "remedy"] {
            if let Some(text) = finding.get(part).and_then(Value::as_str) {
                assert!(shown.contains(text), "{text:?} is not in {shown}");
            }
        }
    }
}

fn programs_are_looked_for_in_the_path(sandbox: &Sandbox<'_>) {
    let bin = sandbox.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let report = || {
        let doctor = sandbox.runj(["doctor", "--json"]).env("PATH", &bin).run();
        serde_json::from_str::<Value>(&doctor.stdout()).unwrap()
    };
    for program in ["runj", "containerd-shim-runj-v1", "containerd", "podman", "conmon"] {
        let missing = report();
        assert_eq!(finding(&missing, program)["standing"], "lacks");
        let remedy = finding(&missing, program)["remedy"].as_str().unwrap();
        assert!(remedy.contains(program), "{remedy}");

        let path = bin.join(program);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        assert_eq!(finding(&report(), program)["standing"], "lacks", "it cannot be executed");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let found = report();
        assert_eq!(finding(&found, program)["standing"], "fine");
        assert_eq!(finding(&found, program)["says"], path.to_str().unwrap());
    }
    // Engines that are there have a configuration that matters.
    for engine in ["containerd", "podman"] {
        finding(&report(), &format!("{engine}'s configuration"));
    }
}

/// Jails in a jail have to be allowed on FreeBSD; the emulation wants a procfs.
fn nothing_can_run_in_a_bare_container(sandbox: &Sandbox<'_>) {
    let program = sandbox.runj_program();
    let bundle = sandbox.bundle().nullfs(program.parent().unwrap(), "/runj".as_ref(), "ro");
    let outcome = sandbox.run(&bundle.args(["/runj/runj", "doctor"]));
    assert_eq!((outcome.code(), outcome.stderr()), (1, String::new()), "{}", outcome.stdout());
    let shown = outcome.stdout();
    assert!(
        shown.contains("\nBLOCKS") && shown.ends_with("\nNo container can run here.\n"),
        "{shown}"
    );
    if cfg!(target_os = "freebsd") {
        assert!(shown.contains("children.max="), "{shown}");
    }
}
