//! The program's own words to containerd, also in the form that containerd has from 2.3 on.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use runj_tests::containerd::Engine;
use runj_tests::eventually;

use crate::case::cases;

cases![
    it_answers_in_the_form_that_it_is_asked_in,
    a_shim_that_nobody_wants_ends,
    it_says_what_it_is,
    delete_where_nothing_is_succeeds,
];

/// A field of protobuf's that is a text.
fn field(number: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, text.len().try_into().unwrap()];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Calls the shim's program with a bundle, as containerd does.
fn call(engine: &Engine<'_>, bundle: &Path, id: &str, action: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(engine.shim_program());
    command.args(["-namespace", "ns", "-id", id, "-publish-binary", "/none", "-address"]);
    command.arg(engine.path().join("sock")).args(action).current_dir(bundle);
    command.env(runj_tests::MARK, engine.path());
    command.env("TTRPC_ADDRESS", engine.path().join("sock.ttrpc"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// What `start` says to be told this, and the socket that it says.
fn start(engine: &Engine<'_>, id: &str, input: &[u8]) -> (Vec<u8>, String) {
    let bundle = engine.path().join(id);
    fs::create_dir_all(&bundle).unwrap();
    let output = call(engine, &bundle, id, &["start"], input);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let address = fs::read_to_string(bundle.join("address")).unwrap();
    (output.stdout, address)
}

fn it_answers_in_the_form_that_it_is_asked_in(engine: &mut Engine<'_>) {
    let id = engine.id();
    let params = [field(1, &id), field(2, "ns"), field(9, engine.path().to_str().unwrap())];
    let (answer, address) = start(engine, &id, &params.concat());
    // BootstrapResult: version 2, address, protocol.
    assert_eq!(answer, [vec![0x08, 2], field(2, &address), field(3, "ttrpc")].concat());
    assert!(address.starts_with(&format!("unix://{}/", engine.path().display())));

    // A second one finds the first, and is of another containerd's mind.
    let options = field(1, "runtimeoptions.v1.Options");
    let other = engine.id();
    let (answer, address) = start(engine, &other, &options);
    assert_eq!(answer, address.as_bytes());
    for id in [id, other] {
        engine.shim(&id).signal(runj_jail::Signal::KILL).unwrap();
        let bundle = engine.path().join(&id);
        let output = call(engine, &bundle, &id, &["delete"], b"");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    assert!(!Path::new(address.strip_prefix("unix://").unwrap()).exists());
}

fn a_shim_that_nobody_wants_ends(engine: &mut Engine<'_>) {
    let id = engine.id();
    let (_, address) = start(engine, &id, b"");
    let shim = engine.shim(&id);
    eventually("its end", || (!shim.is_alive().unwrap()).then_some(()));
    assert!(!Path::new(address.strip_prefix("unix://").unwrap()).exists());
}

fn it_says_what_it_is(engine: &mut Engine<'_>) {
    let output = Command::new(engine.shim_program()).arg("-info").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(output.stdout.starts_with(&field(1, "wtf.sbk.runj.v1")), "{output:?}");
}

fn delete_where_nothing_is_succeeds(engine: &mut Engine<'_>) {
    let bundle = engine.path().join("no-such-bundle");
    let bundle = bundle.to_str().unwrap();
    let output = call(engine, engine.path(), "nobody", &["-bundle", bundle, "delete"], b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // DeleteResponse: exit_status 137, and when.
    assert!(output.stdout.starts_with(&[0x10, 0x89, 0x01, 0x1a]), "{output:?}");
}
