//! Documents that are made to take time or memory.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use runj_spec::{Bundle, Config, Error, Extension, LinuxResources, Process};
use tempfile::TempDir;

use crate::filled::filled;

const CONFIG: &str = r#"{"ociVersion": "1.3.0"}"#;

fn bundle(config: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), config).unwrap();
    dir
}

/// What loading comes to, which must not take for ever.
fn load(dir: &Path) -> Result<Bundle, Error> {
    let (tell, told) = channel();
    let dir = dir.to_owned();
    // There is nobody to tell any more if it took too long.
    thread::spawn(move || drop(tell.send(Bundle::load(&dir))));
    told.recv_timeout(Duration::from_secs(120)).expect("it takes too long")
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let dir = bundle(CONFIG);
    let replace = |name: &str, make: &dyn Fn(&Path)| {
        let path = dir.path().join(name);
        let _ = fs::remove_file(&path);
        make(&path);
        let error = load(dir.path()).unwrap_err();
        assert!(matches!(&error, Error::NotAFile { path: named } if *named == path), "{error}");
        fs::remove_file(&path).unwrap();
    };
    let fifo = |path: &Path| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let endless = |path: &Path| symlink("/dev/zero", path).unwrap();
    let socket = |path: &Path| drop(UnixListener::bind(path).unwrap());
    for make in [&fifo as &dyn Fn(&Path), &endless, &socket] {
        replace("runj.ext.json", make);
    }
    for make in [&fifo as &dyn Fn(&Path), &endless, &socket] {
        replace("config.json", make);
    }
}

#[test]
fn a_file_is_not_read_whole_to_find_it_too_large() {
    for name in ["config.json", "runj.ext.json"] {
        let dir = bundle(CONFIG);
        // More than there is memory, and no block of it on the disk.
        File::create(dir.path().join(name)).unwrap().set_len(1 << 36).unwrap();
        assert!(matches!(load(dir.path()), Err(Error::TooLarge { .. })), "{name}");
    }
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |depth| format!("{}0{}", open.repeat(depth), close.repeat(depth));
        let deep = nested(100_000);
        // The stack does not end either where nothing is closed.
        for text in [deep.as_str(), &deep[..deep.len() / 2]] {
            for error in [
                Config::parse(text.as_bytes(), "f").unwrap_err(),
                Extension::parse(text.as_bytes(), "f").unwrap_err(),
                Process::parse(text.as_bytes(), "f").unwrap_err(),
                LinuxResources::parse(text.as_bytes(), "f").unwrap_err(),
            ] {
                assert!(error.to_string().ends_with("expected at most 127 levels"), "{error}");
            }
        }
        // An unknown property may be as deep as that, and is printed again.
        let config = format!(r#"{{"ociVersion": "1.3.0", "x": {}}}"#, nested(126));
        let config = Config::parse(config.as_bytes(), "f").unwrap();
        let printed = serde_json::to_vec(&config).unwrap();
        assert_eq!(Config::parse(&printed, "f").unwrap(), config);
    }
}

fn address(number: usize) -> String {
    let [_, a, b, c] = u32::try_from(number).unwrap().to_be_bytes();
    format!(r#""10.{a}.{b}.{c}""#)
}

#[test]
fn lists_as_long_as_fit_are_read_in_time() {
    let addresses = r#"{"ociVersion":"1.3.0","freebsd":{"jail":{"ip4Addr":["#;
    let dir = bundle(&filled(addresses, address, "]}}}"));
    let container = load(dir.path()).unwrap().container().unwrap();
    assert!(container.jail.ip4_addr.len() > 250_000);

    let mut million = addresses.to_owned();
    million += &(0..1_000_000).map(address).collect::<Vec<_>>().join(",");
    let dir = bundle(&(million + "]}}}"));
    assert!(matches!(load(dir.path()), Err(Error::TooLarge { .. })));
}

#[test]
fn of_many_problems_some_are_kept() {
    let process = r#"{"ociVersion":"1.3.0","process":{"args":["#;
    let dir = bundle(&filled(process, |_| "0".to_owned(), "]}}"));
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.len() < 20_000 && error.ends_with(" more"), "{} bytes", error.len());
}

#[test]
fn a_value_is_shown_in_part() {
    let dir = bundle(&filled(r#"{"ociVersion":["#, |_| "0".to_owned(), "]}"));
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.len() < 1000, "{} bytes", error.len());
}
