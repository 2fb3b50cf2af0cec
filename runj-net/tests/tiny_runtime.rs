//! The example runtime, run as it would be by hand: this program is it, when it is called by that
//! name. It takes root; the harness reports the cases as ignored to anybody else.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

#[path = "../examples/tiny-runtime.rs"]
mod tiny_runtime;

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Trial};
use nix::ifaddrs::getifaddrs;
use nix::unistd::geteuid;
use runj_jail::{Jail, JailName};
use serde_json::{Value, json};
use tempfile::TempDir;

const NAME: &str = "tiny-runtime";

fn main() -> ExitCode {
    if env::args().next().as_deref() == Some(NAME) {
        return tiny_runtime::main().unwrap_or_else(|error| {
            eprintln!("{NAME}: {error}");
            ExitCode::from(2)
        });
    }
    let cases: [(&str, fn()); 3] = [
        ("a_container_runs_and_leaves_nothing", a_container_runs_and_leaves_nothing),
        ("a_container_has_its_address_while_it_lives", a_container_has_its_address_while_it_lives),
        ("a_wrong_configuration_is_told", a_wrong_configuration_is_told),
    ];
    let trial = |(name, case): (&str, fn())| {
        let run = move || {
            case();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(!geteuid().is_root())
    };
    let trials = cases.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Calls the runtime.
fn tiny_runtime<const N: usize>(arguments: [&str; N]) -> Output {
    Command::new(env::current_exe().unwrap()).arg0(NAME).args(arguments).output().unwrap()
}

fn succeeds<const N: usize>(arguments: [&str; N]) {
    let output = tiny_runtime(arguments);
    let (code, complaint) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
    assert_eq!((code, &*complaint), (Some(0), ""), "{arguments:?}");
}

/// A bundle with the host's root, whose process runs a shell's script.
fn bundle(script: &str, jail: &Value, extension: &Value) -> TempDir {
    let bundle = tempfile::tempdir().unwrap();
    let env = ["PATH=/bin:/usr/bin", "A=b"];
    let config = json!({
        "ociVersion": "1.3.0",
        "root": {"path": "/"},
        "hostname": "tiny",
        "process": {"args": ["sh", "-c", script], "env": env, "cwd": "/etc"},
        "freebsd": {"jail": jail},
    });
    for (name, document) in [("config.json", &config), ("runj.ext.json", extension)] {
        fs::write(bundle.path().join(name), document.to_string()).unwrap();
    }
    bundle
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn exists(id: &str) -> bool {
    let name: JailName = id.parse().unwrap();
    Jail::find(&name).unwrap().is_some()
}

fn a_container_runs_and_leaves_nothing() {
    let id = format!("tiny-{}", std::process::id());
    let bundle = bundle(
        "echo \"$(hostname) $PWD $A\"; exit 7",
        &json!({}),
        &json!({"network": {"ipv4": {"mode": "inherit"}}}),
    );
    let bundle = text(bundle.path());
    succeeds(["create", &id, bundle]);
    assert!(exists(&id));
    // More than once: the jail stays.
    for _ in 0..2 {
        let output = tiny_runtime(["start", &id, bundle]);
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "tiny /etc b\n");
    }
    succeeds(["delete", &id]);
    assert!(!exists(&id));
    assert_eq!(tiny_runtime(["delete", &id]).status.code(), Some(2));
}

fn a_container_has_its_address_while_it_lives() {
    const ADDRESS: &str = "198.18.77.1";
    let loopback = if cfg!(target_os = "freebsd") { "lo0" } else { "lo" };
    let id = format!("tiny-address-{}", std::process::id());
    let jail = json!({"interface": loopback, "ip4": "new", "ip4Addr": [ADDRESS]});
    let bundle = bundle("exit 0", &jail, &json!({}));
    let host_has_it = || {
        getifaddrs().unwrap().filter_map(|entry| entry.address).any(|address| {
            address.as_sockaddr_in().is_some_and(|present| present.ip().to_string() == ADDRESS)
        })
    };
    assert!(!host_has_it());
    succeeds(["create", &id, text(bundle.path())]);
    assert!(host_has_it());
    succeeds(["start", &id, text(bundle.path())]);
    succeeds(["delete", &id]);
    assert!(!host_has_it());
}

fn a_wrong_configuration_is_told() {
    let extension = json!({"network": {"ipv4": {"mode": "bridge"}}});
    let bundle = bundle("exit 0", &json!({}), &extension);
    let output = tiny_runtime(["create", "tiny-wrong", text(bundle.path())]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("runj.ext.json: network.ipv4.mode: \"bridge\""), "{complaint}");
    assert!(!exists("tiny-wrong"));
}
