//! The extension file, as containerd's users hand it over.

use std::fs;
use std::os::unix::fs::symlink;

use runj_tests::containerd::Engine;

use crate::case::cases;

cases![
    without_one_there_is_no_ipv4,
    a_wrong_one_is_refused_with_its_path,
    a_link_is_refused,
    a_directory_is_refused,
];

/// Asks for a socket, and for an address to have something to do with it.
/// FreeBSD's nc(1) keeps the reason to itself.
const SOCKET: [&str; 3] =
    ["sh", "-c", "{ nc 127.0.0.1 9 || ping -c 1 127.0.0.1; } 2>&1 | grep -m 1 -o 'not supported'"];

fn without_one_there_is_no_ipv4(engine: &mut Engine<'_>) {
    let outcome = engine.run(&["--rm"], &engine.id(), &SOCKET).run();
    assert_eq!(outcome.code_is(0), "not supported\n");
}

/// Creation fails with that message, and nothing is left but the container that `ctr` knows.
fn assert_refused(engine: &Engine<'_>, path: &str, message: &str) {
    let id = engine.id();
    let outcome = engine.run(&["--runtime-config-path", path], &id, &["true"]).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains(message), "{}", outcome.stderr());
    assert!(!engine.bundle(&id).exists());
    // 1.6 deletes it by itself.
    engine.ctr(["container", "rm", &id]).run();
}

fn a_wrong_one_is_refused_with_its_path(engine: &mut Engine<'_>) {
    let file = engine.path().join("wrong.json");
    fs::write(&file, r#"{ "network": { "ipv4": { "mode": "bridge" } } }"#).unwrap();
    let file = file.to_str().unwrap();
    assert_refused(engine, file, &format!(r#"{file}: network.ipv4.mode: "bridge""#));
}

fn a_link_is_refused(engine: &mut Engine<'_>) {
    let link = engine.path().join("link.json");
    symlink("/etc/shadow", &link).unwrap();
    assert_refused(engine, link.to_str().unwrap(), "it is a symbolic link");
}

fn a_directory_is_refused(engine: &mut Engine<'_>) {
    let directory = engine.path().to_str().unwrap().to_owned();
    assert_refused(engine, &directory, "expected a regular file");
}
