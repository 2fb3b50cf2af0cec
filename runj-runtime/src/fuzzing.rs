//! What has to hold for any input at all. The fuzz targets (`fuzz/`) call these functions, and
//! tests call them with the inputs that are kept there.

#![allow(clippy::unwrap_used, reason = "what does not hold is to end the program")]

use runj_spec::{Bundle, Config, Extension, LinuxResources, Process};

use crate::error::{Error, whole};
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::record::Record;
use crate::sys::Report;
use crate::{Preview, mounts, process};

/// Reads the input as a bundle: config.json, and behind a NUL, if there is one, runj.ext.json. What
/// is accepted is the same container when it is written and read again. Whatever is refused is
/// refused on one line.
///
/// # Panics
///
/// When it is not.
pub fn config(input: &[u8]) {
    let mut documents = input.splitn(2, |&byte| byte == 0);
    let config = documents.next().unwrap_or_default();
    let _ = heard(Process::parse(config, "process.json"));
    let _ = heard(LinuxResources::parse(config, "resources.json"));
    let Some(config) = heard(Config::parse(config, Config::FILE_NAME)) else { return };
    let extension = match documents.next() {
        None => None,
        Some(text) => match heard(Extension::parse(text, Extension::FILE_NAME)) {
            None => return,
            extension => extension,
        },
    };

    let bundle = Bundle { dir: "/bundle".into(), config, extension };
    let again = Bundle {
        dir: bundle.dir.clone(),
        config: Config::parse(&text(&bundle.config), Config::FILE_NAME).unwrap(),
        extension: bundle
            .extension
            .as_ref()
            .map(|extension| Extension::parse(&text(extension), Extension::FILE_NAME).unwrap()),
    };
    assert_eq!(again, bundle);
    let Some(container) = heard(bundle.container()) else { return };
    assert_eq!(again.container().unwrap(), container);
    text(&container);

    let network = heard(runj_net::plan(&container.jail).map_err(Error::from));
    let limits = heard(Limits::of(&container));
    let mounts = heard(mounts::plan(&container.mounts, &container.devices, &bundle.dir));
    if let Some(process) = &container.process {
        let _ = heard(process::check(process, "config.json: process"));
    }
    let preview = heard(Preview::of_bundle(&bundle));
    if let Some(preview) = preview {
        assert!(network.is_some());
        for param in preview.params.iter() {
            assert!(!param.to_string().contains(char::is_control));
        }
    }
    drop((limits, mounts));
}

/// Reads the input as state.json and as a ledger: what is understood says the same when it is
/// written.
///
/// # Panics
///
/// When it does not.
pub fn state(input: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<Record>(input) {
        let _ = record.jid();
        let written = text(&record);
        let again: Record = serde_json::from_slice(&written).unwrap();
        assert_eq!(text(&again), written);
    }
    if let Ok(deeds) = Ledger::parse(input) {
        let mut written = Vec::new();
        for deed in &deeds {
            written.extend(text(deed));
            written.push(b'\n');
        }
        assert_eq!(Ledger::parse(&written).unwrap(), deeds);
        // Wherever it is cut off, what is before stays.
        let cut = Ledger::parse(&written[..written.len() / 2]).unwrap();
        assert_eq!(cut, deeds[..cut.len()]);
    }
}

/// Reads the input as what the container's process reports of its way to its program.
///
/// # Panics
///
/// When it cannot be told.
pub fn report(input: &[u8]) {
    let process = Process::parse(br#"{"args":["sh"]}"#, "process.json").unwrap();
    let hook = br#"{"ociVersion":"1.3.0","hooks":{"startContainer":[{"path":"/h","timeout":7}]}}"#;
    let hooks = Config::parse(hook, Config::FILE_NAME).unwrap().hooks.start_container;
    if let Err(error) = process::understood(&Report::parse(input), &process, &hooks) {
        assert!(!whole(&error).is_empty());
    }
}

/// The result; if it is an error, its message is one line, and no control character is in it.
fn heard<T, E: std::error::Error>(result: Result<T, E>) -> Option<T> {
    result
        .map_err(|error| {
            let text = whole(&error);
            assert!(!text.is_empty() && !text.chars().any(char::is_control), "{text:?}");
        })
        .ok()
}

fn text(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

#[cfg(test)]
mod tests {
    #[test]
    fn inputs_that_are_kept() {
        for (target, run) in [
            ("config", super::config as fn(&[u8])),
            ("state", super::state),
            ("report", super::report),
        ] {
            runj_fuzz_inputs::replay(target, run);
        }
    }
}
