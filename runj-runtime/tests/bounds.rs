//! Bundles that are made to take time or memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// As the tests of runj-spec have it.
#[path = "../../runj-spec/tests/spec/filled.rs"]
mod filled;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use runj_runtime::{CreateOptions, Runtime, check};

/// What `create` would say of this config.json, which must not take for ever.
fn checked(config: &str) -> Result<(), String> {
    let bundle = tempfile::tempdir().unwrap();
    fs::create_dir(bundle.path().join("rootfs")).unwrap();
    fs::write(bundle.path().join("config.json"), config).unwrap();
    let options = CreateOptions::new(bundle.path());
    in_time(move || {
        let result = check(&"c".parse().unwrap(), &options);
        result.map_err(|error| error.to_string())
    })
}

fn in_time<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = channel();
    // There is nobody to tell any more if it took too long.
    thread::spawn(move || drop(tell.send(call())));
    told.recv_timeout(Duration::from_secs(120)).expect("it takes too long")
}

/// A config.json with a process, and a list at this place that has as many elements as fit.
fn config(before: &str, element: impl Fn(usize) -> String, after: &str) -> String {
    let before = format!(r#"{{"ociVersion":"1.3.0","process":{{"args":["sh"]}},{before}"#);
    filled::filled(&before, element, after)
}

fn refused(config: &str, beginning: &str) {
    let error = checked(config).unwrap_err();
    assert!(error.starts_with(beginning), "{}", error.get(..300).unwrap_or(&error));
    assert!(error.len() < 50_000, "{} bytes", error.len());
}

#[test]
fn many_mounts() {
    let mount = |index| format!(r#"{{"type":"tmpfs","destination":"/{index}"}}"#);
    assert_eq!(checked(&config(r#""mounts":["#, mount, "]}")), Ok(()));
}

#[test]
fn many_remounts() {
    let mount = |index| match index {
        0 => r#"{"type":"tmpfs","destination":"/a"}"#.to_owned(),
        index if index < 40_000 => format!(r#"{{"type":"tmpfs","destination":"/{index}"}}"#),
        _ => r#"{"options":["remount","ro"],"destination":"/a"}"#.to_owned(),
    };
    assert_eq!(checked(&config(r#""mounts":["#, mount, "]}")), Ok(()));
}

#[test]
fn many_options_of_a_mount() {
    let before = r#""mounts":[{"type":"tmpfs","destination":"/a","options":["#;
    let option = |index| format!(r#""o{index}=1""#);
    assert_eq!(checked(&config(before, option, "]}]}")), Ok(()));
}

#[test]
fn many_addresses_that_are_all_wrong() {
    let address = |index: usize| {
        let [_, a, b, c] = u32::try_from(index).unwrap().to_be_bytes();
        format!(r#""10.{a}.{b}.{c}/8""#)
    };
    refused(
        &config(r#""freebsd":{"jail":{"ip4Addr":["#, address, "]}}}"),
        r#"config.json: freebsd.jail.ip4Addr[0]: 10.0.0.0/8 is not allowed without an interface"#,
    );
}

#[test]
fn many_rules_that_are_all_wrong() {
    let rule = |index: usize| format!(r#""nothing:deny={index}""#);
    refused(
        &config(r#""freebsd":{"rctl":["#, rule, "]}}"),
        r#"config.json: freebsd.rctl[0]: "nothing:deny=0" is not allowed"#,
    );
}

#[test]
fn many_processors() {
    let range = |_| "0-1023".to_owned();
    let error = checked(&config(r#""linux":{"resources":{"cpu":{"cpus":""#, range, r#""}}}}"#));
    assert!(error.unwrap_err().starts_with("config.json: linux.resources.cpu.cpus: "));
}

#[test]
fn a_state_that_is_something_else() {
    let root = tempfile::tempdir().unwrap();
    let container = root.path().join("c");
    fs::create_dir(&container).unwrap();
    let file = container.join("state.json");
    let deep = |path: &Path| fs::write(path, "[".repeat(100_000)).unwrap();
    let endless = |path: &Path| symlink("/dev/zero", path).unwrap();
    let fifo = |path: &Path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let huge = |path: &Path| File::create(path).unwrap().set_len(1 << 36).unwrap();
    for make in [&deep as &dyn Fn(&Path), &endless, &fifo, &huge] {
        make(&file);
        let runtime = Runtime::new(root.path());
        let error = in_time(move || runtime.state(&"c".parse().unwrap())).unwrap_err();
        assert!(error.to_string().contains("state.json"), "{error}");
        fs::remove_file(&file).unwrap();
    }
}
