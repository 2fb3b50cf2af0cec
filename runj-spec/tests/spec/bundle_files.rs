//! The files of a bundle on a disk.

use std::fs;
use std::path::Path;

use runj_spec::{Bundle, Error};
use tempfile::TempDir;

const CONFIG: &str = r#"{"ociVersion": "1.3.0"}"#;

fn bundle(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn error(dir: &Path) -> Error {
    Bundle::load(dir).unwrap_err()
}

#[test]
fn the_extension_is_optional() {
    let dir = bundle(&[("config.json", CONFIG)]);
    let bundle = Bundle::load(dir.path()).unwrap();
    assert_eq!(bundle.extension, None);
    assert_eq!(bundle.dir, dir.path());
}

#[test]
fn the_configuration_is_not() {
    let dir = bundle(&[("runj.ext.json", "{}")]);
    let Error::Read { path, source } = error(dir.path()) else { panic!("it is not there") };
    assert_eq!(path, dir.path().join("config.json"));
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn both_files_are_complained_about_at_once() {
    let dir = bundle(&[
        (
            "config.json",
            r#"{"process": {"user": {"uid": "root"}}, "freebsd": {"jail": {"ip4": "new"}, "network": {"ipv4": {"mode": "inherit"}}}, "annotations": {"org.freebsd.jail.vnet": "no"}}"#,
        ),
        ("runj.ext.json", r#"{"network": {"ipv4": {"mode": "bridge"}}}"#),
    ]);
    assert_eq!(
        error(dir.path()).to_string(),
        [
            r#"config.json: ociVersion: missing: expected a version such as "1.3.0""#,
            r#"config.json: process.user.uid: "root" is not allowed: expected an integer from 0 to 4294967295"#,
            "config.json: process.args: missing: expected a list of at least one string: the program and its arguments",
            r#"config.json: freebsd.network.ipv4.mode: "inherit" is not allowed: expected "new", as at config.json: freebsd.jail.ip4"#,
            r#"config.json: annotations["org.freebsd.jail.vnet"]: "no" is not allowed: expected one of "inherit", "new""#,
            r#"runj.ext.json: network.ipv4.mode: "bridge" is not allowed: expected one of "inherit", "new", "disable""#,
        ]
        .join("; ")
    );
}

#[test]
fn bad_json_is_one_line_with_file_and_place() {
    let dir = bundle(&[("config.json", CONFIG), ("runj.ext.json", "{\n\"network\": \n}")]);
    assert_eq!(error(dir.path()).to_string(), "runj.ext.json: line 3, column 1: expected value");
}

#[test]
fn a_directory_is_no_file() {
    let dir = bundle(&[]);
    fs::create_dir(dir.path().join("config.json")).unwrap();
    let path = dir.path().join("config.json");
    assert_eq!(error(dir.path()).to_string(), format!("{path:?} is not a regular file"));

    let dir = bundle(&[("config.json", CONFIG)]);
    fs::create_dir(dir.path().join("runj.ext.json")).unwrap();
    assert!(matches!(error(dir.path()), Error::NotAFile { .. }));
}

#[test]
fn sizes_are_bounded() {
    let filled = |limit: usize| CONFIG.to_owned() + &" ".repeat(limit - CONFIG.len());
    let dir = bundle(&[
        ("config.json", &filled(4 << 20)),
        ("runj.ext.json", &"{}".replace('}', &(" ".repeat((256 << 10) - 2) + "}"))),
    ]);
    Bundle::load(dir.path()).unwrap();

    let dir = bundle(&[("config.json", &filled((4 << 20) + 1))]);
    let path = dir.path().join("config.json");
    assert_eq!(
        error(dir.path()).to_string(),
        format!("{path:?} is too large: expected at most 4194304 bytes")
    );

    let dir = bundle(&[("config.json", CONFIG), ("runj.ext.json", &filled((256 << 10) + 1))]);
    let path = dir.path().join("runj.ext.json");
    assert_eq!(
        error(dir.path()).to_string(),
        format!("{path:?} is too large: expected at most 262144 bytes")
    );
}
