//! Nothing that a file can hold makes the crate panic, or say more than one line.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use runj_spec::{Bundle, Config, Error, Extension, Process};
use serde_json::Value;

use crate::documents::{any_json, config};

/// Reads `text` as each kind of document.
fn read_all(text: &[u8]) -> Result<(), TestCaseError> {
    let line = |error: Error| {
        let text = error.to_string();
        prop_assert!(!text.is_empty() && !text.chars().any(char::is_control), "{:?}", text);
        Ok(())
    };
    Process::parse(text, "process.json").map(drop).or_else(line)?;
    let extension = Extension::parse(text, "runj.ext.json").map_err(line);
    match Config::parse(text, "config.json") {
        Err(error) => line(error),
        Ok(config) => {
            let printed = serde_json::to_string(&config).unwrap();
            prop_assert_eq!(&Config::parse(printed.as_bytes(), "config.json").unwrap(), &config);
            let bundle = Bundle { dir: "/bundle".into(), config, extension: extension.ok() };
            prop_assert!(bundle.container().is_ok());
            Ok(())
        }
    }
}

/// JSON in which the known names stand at random places.
fn known_names() -> impl Strategy<Value = Value> {
    let name = select(vec![
        "ociVersion",
        "root",
        "path",
        "readonly",
        "process",
        "terminal",
        "consoleSize",
        "height",
        "width",
        "user",
        "uid",
        "gid",
        "umask",
        "additionalGids",
        "args",
        "env",
        "cwd",
        "rlimits",
        "type",
        "soft",
        "hard",
        "noNewPrivileges",
        "hostname",
        "domainname",
        "mounts",
        "destination",
        "source",
        "options",
        "hooks",
        "prestart",
        "poststop",
        "timeout",
        "annotations",
        "freebsd",
        "devices",
        "mode",
        "jail",
        "parent",
        "host",
        "ip4",
        "ip4Addr",
        "ip6",
        "ip6Addr",
        "vnet",
        "interface",
        "vnetInterfaces",
        "sysvmsg",
        "enforceStatfs",
        "allow",
        "mount",
        "rawSockets",
        "network",
        "ipv4",
        "ipv6",
        "addr",
        "interfaces",
        "org.freebsd.jail.vnet",
        "org.freebsd.jail.ip4.addr",
        "org.freebsd.jail.allow.mlock",
        "org.freebsd.parentJail",
    ]);
    let text = select(vec![
        "1.3.0", "new", "inherit", "disable", "10.0.0.1", "::1", "lo0", "/", "A=b", "true", "\0",
        "",
    ]);
    let leaf = prop_oneof![2 => text.prop_map(Value::from), 1 => (0..3_u64).prop_map(Value::from), 1 => any_json()];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        let object = proptest::collection::btree_map(name.clone(), inner.clone(), 0..8);
        prop_oneof![
            1 => vec(inner, 0..4).prop_map(Value::from),
            4 => object.prop_map(|object| object.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_at_all(value in any_json()) {
        read_all(value.to_string().as_bytes())?;
    }

    #[test]
    fn known_names_anywhere(mut value in known_names()) {
        if let Value::Object(object) = &mut value {
            object.insert("ociVersion".to_owned(), "1.3.0".into());
        }
        read_all(value.to_string().as_bytes())?;
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..64)) {
        read_all(&bytes)?;
    }

    #[test]
    fn a_document_with_one_byte_changed(config in config(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = config.to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        read_all(&text)?;
    }

    #[test]
    fn a_document_cut_short(config in config(), at in any::<prop::sample::Index>()) {
        let mut text = config.to_string().into_bytes();
        text.truncate(at.index(text.len()));
        let is_bad_json = matches!(Config::parse(&text, "config.json"), Err(Error::Syntax { .. }));
        prop_assert!(is_bad_json);
        read_all(&text)?;
    }
}
