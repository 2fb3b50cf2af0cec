//! The container's process as the configuration describes it, and nothing of its makers in it.

use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::pipe;
use runj_tests::{Bundle, Sandbox, write_script};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    the_arguments,
    the_environment_and_nothing_else,
    programs_are_found_in_the_container_s_path,
    the_working_directory,
    a_working_directory_that_is_missing,
    the_user_and_groups,
    the_mask,
    a_user_without_rights_stays_without,
    the_limits,
    no_new_privileges,
    signals_are_as_in_a_new_process,
    no_descriptor_but_the_standard_streams,
    descriptors_that_are_to_be_kept,
    standard_input,
    a_session_of_its_own,
    more_arguments_than_a_page_holds,
];

#[track_caller]
fn report(sandbox: &Sandbox<'_>, bundle: &Bundle) -> Value {
    sandbox.run(bundle).json()
}

fn reporting(sandbox: &Sandbox<'_>) -> Bundle {
    sandbox.bundle().probe(["report"])
}

fn the_arguments(sandbox: &Sandbox<'_>) {
    let line = r#"printf '<%s>' "$0" "$@""#;
    let bundle =
        sandbox.bundle().args(["sh", "-c", line, "zero", "", "a b", "$HOME", "-\n\"'", "ä"]);
    assert_eq!(sandbox.run(&bundle).succeeded(), "<zero><><a b><$HOME><-\n\"'><ä>");
}

fn the_environment_and_nothing_else(sandbox: &Sandbox<'_>) {
    let environment = json!(["A=1", "B=two = 2", "EMPTY=", "PATH=/bin", "A_=\u{e4}", "HOME=/home"]);
    let bundle = reporting(sandbox).set("process.env", environment.clone());
    assert_eq!(report(sandbox, &bundle)["env"], environment);
    let bundle = reporting(sandbox).set("process.env", json!([]));
    assert_eq!(report(sandbox, &bundle)["env"], json!(["HOME=/"]), "what every process has");
}

fn programs_are_found_in_the_container_s_path(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().args(["only-here"]);
    let directory = bundle.rootfs().join("private");
    fs::create_dir(&directory).unwrap();
    let program = directory.join("only-here");
    write_script(&program, "echo found\n");
    let bundle = bundle.set("process.env", json!(["PATH=/nowhere:/private"]));
    assert_eq!(sandbox.run(&bundle).succeeded(), "found\n");
    // A path that is relative starts at the working directory.
    let bundle = bundle.args(["./only-here"]).set("process.cwd", "/private");
    assert_eq!(sandbox.run(&bundle).succeeded(), "found\n");
}

fn the_working_directory(sandbox: &Sandbox<'_>) {
    let bundle = reporting(sandbox);
    fs::create_dir_all(bundle.rootfs().join("deep/inside")).unwrap();
    let bundle = bundle.set("process.cwd", "/deep/inside");
    assert_eq!(report(sandbox, &bundle)["cwd"], "/deep/inside");
    assert_eq!(report(sandbox, &bundle.without("process.cwd"))["cwd"], "/");
}

fn a_working_directory_that_is_missing(sandbox: &Sandbox<'_>) {
    let bundle = reporting(sandbox).set("process.cwd", "/no/such/directory");
    let message = sandbox.refused(&bundle);
    assert!(
        message.starts_with("process.cwd: \"/no/such/directory\" is not possible"),
        "{message}"
    );
}

fn the_user_and_groups(sandbox: &Sandbox<'_>) {
    let user = json!({ "uid": 1234, "gid": 2345, "additionalGids": [3456, 12, 2345] });
    let report_of_user = report(sandbox, &reporting(sandbox).set("process.user", user));
    assert_eq!(report_of_user["uid"], json!([1234, 1234]));
    assert_eq!(report_of_user["gid"], json!([2345, 2345]));
    assert_eq!(report_of_user["groups"], json!([12, 2345, 3456]));

    // None of the caller's groups is left.
    let user = json!({ "uid": 0, "gid": 5 });
    let report_of_user = report(sandbox, &reporting(sandbox).set("process.user", user));
    assert_eq!(report_of_user["uid"], json!([0, 0]));
    let groups = report_of_user["groups"].as_array().unwrap();
    assert!(groups.iter().all(|group| group == 5), "{groups:?}");
}

fn the_mask(sandbox: &Sandbox<'_>) {
    for mask in [0, 0o22, 0o77, 0o777] {
        let bundle = reporting(sandbox).set("process.user.umask", mask);
        assert_eq!(report(sandbox, &bundle)["umask"], mask);
    }
}

fn a_user_without_rights_stays_without(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().shell("cat /secret; id -u");
    let secret = bundle.rootfs().join("secret");
    fs::write(&secret, "secret").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let outcome = sandbox.run(&bundle.set("process.user", json!({ "uid": 1234, "gid": 1234 })));
    assert_eq!(outcome.stdout(), "1234\n");
}

fn the_limits(sandbox: &Sandbox<'_>) {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let unlimited = u64::MAX;
    let limits = json!([
        { "type": "RLIMIT_NOFILE", "soft": 100, "hard": most - 1 },
        { "type": "RLIMIT_CORE", "soft": 0, "hard": unlimited },
    ]);
    let limits = report(sandbox, &reporting(sandbox).set("process.rlimits", limits));
    let limits = &limits["rlimits"];
    assert_eq!(limits["RLIMIT_NOFILE"], json!([100, most - 1]));
    assert_eq!(limits["RLIMIT_CORE"], json!([0, nix::libc::RLIM_INFINITY]));
    // What is not mentioned is as the caller has it.
    let (soft, hard) = getrlimit(Resource::RLIMIT_STACK).unwrap();
    assert_eq!(limits["RLIMIT_STACK"], json!([soft, hard]));
}

fn no_new_privileges(sandbox: &Sandbox<'_>) {
    for wanted in [true, false] {
        let bundle = reporting(sandbox).set("process.noNewPrivileges", wanted);
        assert_eq!(report(sandbox, &bundle)["no_new_privileges"], wanted);
    }
}

fn signals_are_as_in_a_new_process(sandbox: &Sandbox<'_>) {
    // Of a caller that ignores some, as nohup(1) does, and blocks others.
    let bundle = reporting(sandbox);
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    let report = run.deaf_to_signals().run().json();
    assert_eq!(report["ignored"], json!([]));
    assert_eq!(report["blocked"], json!([]));
}

/// Descriptors of the test that are not close-on-exec, as a careless engine's are.
fn careless(count: usize) -> Vec<OwnedFd> {
    (0..count).map(|_| fs::File::open("/dev/null").unwrap().into()).collect()
}

fn no_descriptor_but_the_standard_streams(sandbox: &Sandbox<'_>) {
    let bundle = reporting(sandbox);
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    let report = run.descriptors(careless(20)).run().json();
    assert_eq!(report["descriptors"], json!([0, 1, 2]));

    let container = sandbox.start(&sandbox.bundle());
    let exec = container.exec([], Bundle::probe_command(["report"]));
    let report = exec.descriptors(careless(20)).run().json();
    assert_eq!(report["descriptors"], json!([0, 1, 2]));
}

fn descriptors_that_are_to_be_kept(sandbox: &Sandbox<'_>) {
    let (reader, writer) = pipe().unwrap();
    fs::File::from(writer).write_all(b"through the pipe").unwrap();
    let bundle = sandbox.bundle().shell("cat <&4");
    let mut descriptors = careless(1);
    descriptors.push(reader);
    let run = sandbox.runj(["run", "--preserve-fds", "2", &sandbox.id(), "--bundle"]);
    let run = run.args([bundle.dir()]).descriptors(descriptors).run();
    assert_eq!(run.succeeded(), "through the pipe");

    let bundle = reporting(sandbox);
    let run = sandbox.runj(["run", "--preserve-fds", "2", &sandbox.id(), "--bundle"]);
    let report = run.args([bundle.dir()]).descriptors(careless(10)).run().json();
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3, 4]));

    let container = sandbox.start(&sandbox.bundle());
    let exec = container.exec(["--preserve-fds", "1"], Bundle::probe_command(["report"]));
    let report = exec.descriptors(careless(10)).run().json();
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3]));
}

fn standard_input(sandbox: &Sandbox<'_>) {
    let (reader, writer) = pipe().unwrap();
    fs::File::from(writer).write_all(b"typed\n").unwrap();
    let bundle = sandbox.bundle().args(["cat"]);
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    assert_eq!(run.stdin(reader).run().succeeded(), "typed\n");
}

fn a_session_of_its_own(sandbox: &Sandbox<'_>) {
    let report = report(sandbox, &reporting(sandbox));
    assert_eq!(report["leads_session"], true);
    assert_eq!(report["leads_group"], true);
}

fn more_arguments_than_a_page_holds(sandbox: &Sandbox<'_>) {
    let mut args: Vec<String> = ["sh", "-c", "echo $#", "sh"].map(str::to_owned).into();
    args.extend((0..10_000).map(|number| format!("argument-{number}")));
    let bundle = sandbox.bundle().set("process.args", args);
    assert_eq!(sandbox.run(&bundle).succeeded(), "10000\n");
}
