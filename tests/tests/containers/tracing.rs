//! Between entering the jail and becoming its program, a process is `runj` still, with what `runj`
//! knows and may do. Root in the jail must not get hold of it then.

use std::process::Command;

use runj_tests::{Bundle, Container, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    root_inside_cannot_trace_init_before_its_program: TracingRefused,
    root_inside_cannot_record_init_before_its_program: TracingRefused,
    root_inside_cannot_trace_exec_before_its_program: TracingRefused,
    root_inside_cannot_read_what_init_has_before_its_program: TracingRefused,
    root_inside_cannot_read_what_exec_has_before_its_program: TracingRefused,
    init_that_is_made_to_crash_before_its_program_leaves_no_image: TracingRefused,
    a_container_is_not_made_while_runj_is_traced: TracingRefused,
];

/// A bundle whose process is long on its way: its program is looked for in many directories that
/// are not there, one execve(2) each, after it has entered the jail.
fn slow(sandbox: &Sandbox<'_>) -> Bundle {
    let bundle = sandbox.bundle().args(["runj-probe", "wait"]);
    let missing: String = (0..4_000).map(|number| format!("/{number}:")).collect();
    bundle.set("process.env", json!([format!("PATH={missing}/opt/probe")]))
}

/// Has root inside try it; what it says in the end.
#[track_caller]
fn tried(
    sandbox: &Sandbox<'_>,
    container: &Container<'_>,
    how: &str,
    then: impl FnOnce(),
) -> Value {
    let pid = container.pid().to_string();
    let victim = if container.status() == "created" { pid.as_str() } else { "next" };
    let line = Bundle::probe_command([how, victim]);
    let running = sandbox.runj(["exec", container.id()]).args(line).spawn();
    let line = |number: usize| {
        runj_tests::eventually("the tracer", || {
            serde_json::from_str::<Value>(running.stdout().lines().nth(number)?).ok()
        })
    };
    assert_eq!(line(0)["ready"], true);
    then();
    let said = line(1);
    running.wait().succeeded();
    said
}

/// It was refused while the process was seen, and then the program was what could be traced. At
/// `first` the process was not seen yet (`ESRCH`), or was (`EPERM`).
#[track_caller]
fn assert_refused(said: &Value, first: &str) {
    let refused = said["refused"].as_array().unwrap();
    assert_eq!(refused.first(), Some(&json!(first)), "{said}");
    assert!(refused.contains(&json!("EPERM")), "never refused: {said}");
    assert_eq!(said["program"], "/opt/probe/runj-probe", "{said}");
}

fn root_inside_cannot_trace_init_before_its_program(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&slow(sandbox));
    // It waits inside.
    assert_refused(&tried(sandbox, &container, "trace", || container.start()), "EPERM");
    assert_eq!(container.wait_line(0)["ready"], true);
}

fn root_inside_cannot_record_init_before_its_program(sandbox: &Sandbox<'_>) {
    let container = sandbox.create(&slow(sandbox));
    assert_refused(&tried(sandbox, &container, "ktrace", || container.start()), "EPERM");
    assert_eq!(container.wait_line(0)["ready"], true);
}

fn root_inside_cannot_trace_exec_before_its_program(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&slow(sandbox));
    let said = tried(sandbox, &container, "trace", || {
        let exec = container.exec(["--detach"], ["runj-probe", "wait"]);
        exec.run().succeeded();
    });
    assert_refused(&said, "ESRCH");
}

/// What of a process the kernel tells others who may trace it.
const READ: [&str; 3] = ["environment", "descriptors", "mappings"];

fn root_inside_cannot_read_what_init_has_before_its_program(sandbox: &Sandbox<'_>) {
    for what in READ {
        let container = sandbox.create(&slow(sandbox));
        assert_refused(&tried(sandbox, &container, what, || container.start()), "EPERM");
        assert_eq!(container.wait_line(0)["ready"], true);
    }
}

fn root_inside_cannot_read_what_exec_has_before_its_program(sandbox: &Sandbox<'_>) {
    for what in READ {
        let container = sandbox.start(&slow(sandbox));
        let said = tried(sandbox, &container, what, || {
            let exec = container.exec(["--detach"], ["runj-probe", "wait"]);
            exec.run().succeeded();
        });
        assert_refused(&said, "ESRCH");
    }
}

/// A file with its memory would tell as much (core(5)).
fn init_that_is_made_to_crash_before_its_program_leaves_no_image(sandbox: &Sandbox<'_>) {
    let unlimited = json!([{ "type": "RLIMIT_CORE", "soft": u64::MAX, "hard": u64::MAX }]);
    let bundle = sandbox.bundle().set("process.rlimits", unlimited);
    let container = sandbox.create(&bundle);
    let before = sandbox.host();
    let quit = ["kill", "-QUIT", &container.pid().to_string()];
    container.exec([], quit).run().succeeded_silently();
    container.wait_stopped();
    sandbox.host().assert_unchanged_since(&before);
    sandbox.runj(["delete", container.id()]).run().succeeded_silently();

    // A program of its own leaves one.
    let container = sandbox.start(&bundle);
    let _ = container.wait_line(0);
    let quit = ["kill", "-QUIT", &container.pid().to_string()];
    container.exec([], quit).run().succeeded_silently();
    container.wait_stopped();
    let names = std::fs::read_dir(bundle.rootfs()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().any(|name| name.ends_with(".core")), "there are no images here");
}

/// Its children would be as well, and nobody can tell a tracer on the host from one in the jail.
fn a_container_is_not_made_while_runj_is_traced(sandbox: &Sandbox<'_>) {
    let mut traced = Command::new("ktrace");
    traced.arg("-i").arg("-f").arg(sandbox.path().join("ktrace.out"));
    traced.arg(sandbox.runj_program()).arg("--root").arg(sandbox.path().join("traced"));
    traced.args(["create", "--bundle"]).arg(sandbox.bundle().dir()).arg("traced");
    let output = traced.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("is traced"), "{said:?}");
}
