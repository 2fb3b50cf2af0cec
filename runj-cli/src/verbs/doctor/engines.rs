//! How the engines are configured.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::finding::Finding;
use super::programs::find;
use super::sys;

/// The name by which containerd finds the shim.
const RUNTIME_TYPE: &str = "wtf.sbk.runj.v1";

/// Only engines that are there have a configuration worth a word.
pub(super) fn findings() -> Vec<Finding> {
    let engines: [(_, fn() -> Finding); 2] = [("containerd", containerd), ("podman", podman)];
    engines.into_iter().filter(|(name, _)| find(name).is_some()).map(|(_, look)| look()).collect()
}

fn containerd() -> Finding {
    const SUBJECT: &str = "containerd's configuration";
    let path = Path::new(sys::ETC).join("containerd/config.toml");
    let ctr = format!("ctr and nerdctl take --runtime {RUNTIME_TYPE}");
    match read(&path) {
        Ok(None) => Finding::fine(SUBJECT, format!("none; {ctr}")),
        Ok(Some(configuration)) => {
            let configuration = Value::Table(configuration);
            if names(&configuration, RUNTIME_TYPE) {
                Finding::fine(SUBJECT, format!("{} has a handler for runj; {ctr}", path.display()))
            } else {
                Finding::fine(
                    SUBJECT,
                    format!("{} has no handler for runj, as CRI needs it; {ctr}", path.display()),
                )
            }
        }
        Err(error) => Finding::lacks(SUBJECT, error)
            .mended_by(format!("containerd --config {} config dump", path.display())),
    }
}

/// Whether a text stands anywhere in a configuration.
fn names(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(list) => list.iter().any(|value| names(value, wanted)),
        Value::Table(table) => table.values().any(|value| names(value, wanted)),
        _ => false,
    }
}

fn podman() -> Finding {
    const SUBJECT: &str = "podman's configuration";
    let mut runtime = None;
    for path in podman_files() {
        match read(&path) {
            Ok(configuration) => {
                let engine = configuration.as_ref().and_then(|table| table.get("engine"));
                let given = engine.and_then(|engine| engine.get("runtime")?.as_str());
                // The later file overrules the earlier one.
                runtime = given.map(|given| (given.to_owned(), path)).or(runtime);
            }
            Err(error) => return Finding::lacks(SUBJECT, error),
        }
    }
    match runtime {
        Some((runtime, path)) if Path::new(&runtime).file_name() == Some("runj".as_ref()) => {
            Finding::fine(SUBJECT, format!("{}: the runtime is {runtime:?}", path.display()))
        }
        other => {
            let says = match other {
                Some((runtime, path)) => format!("{}: the runtime is {runtime:?}", path.display()),
                None => "names no runtime; podman --runtime runj does, each time".to_owned(),
            };
            let directory = Path::new(sys::ETC).join(DROP_INS);
            let directory = directory.display();
            Finding::lacks(SUBJECT, says).mended_by(format!(
                "mkdir -p {directory} && printf '[engine]\\nruntime = \"%s\"\\n' \
                 \"$(command -v runj)\" >{directory}/runj.conf"
            ))
        }
    }
}

const DROP_INS: &str = "containers/containers.conf.d";

/// podman's files in the order in which it reads them (containers.conf(5)), but for the user's.
fn podman_files() -> Vec<PathBuf> {
    let etc = Path::new(sys::ETC);
    let mut drop_ins: Vec<_> = fs::read_dir(etc.join(DROP_INS))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    drop_ins.sort();
    let mut files = vec![
        Path::new(sys::SHARE).join("containers/containers.conf"),
        etc.join("containers/containers.conf"),
    ];
    files.extend(drop_ins);
    files
}

/// A file of TOML; nothing if it is not there.
fn read(path: &Path) -> Result<Option<Table>, String> {
    match fs::read_to_string(path) {
        Ok(text) => match text.parse() {
            Ok(table) => Ok(Some(table)),
            Err(error) => {
                let error: toml::de::Error = error;
                Err(format!("{}: {}", path.display(), error.message()))
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
