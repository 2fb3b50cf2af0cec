//! Container ids never leave the directory that they are used in.

use std::path::{Component, Path};

use proptest::prelude::*;
use runj_spec::ContainerId;

#[test]
fn engines_ids_are_legal() {
    let podman = "4f".repeat(32);
    let longest = "a".repeat(255);
    for legal in [
        podman.as_str(),
        &longest,
        "a",
        "7",
        "_",
        "web-1.prod",
        "a..b",
        "buildah_buildah1",
        "a+b",
        "_-",
    ] {
        assert_eq!(legal.parse::<ContainerId>().unwrap().to_string(), legal);
    }
}

#[test]
fn tricks_are_not() {
    let too_long = "a".repeat(256);
    for wrong in [
        "", ".", "..", "...", "-a", "+a", ".a", "/", "/a", "a/", "a/b", "../a", "a/../b", "a\0",
        "a b", "a\n", "ä", &too_long,
    ] {
        assert!(wrong.parse::<ContainerId>().is_err(), "{wrong:?}");
        assert!(serde_json::from_value::<ContainerId>(wrong.into()).is_err(), "{wrong:?}");
    }
}

#[test]
fn json_carries_ids() {
    let id: ContainerId = "a.b".parse().unwrap();
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, "\"a.b\"");
    assert_eq!(serde_json::from_str::<ContainerId>(&json).unwrap(), id);
}

fn is_contained(id: &ContainerId) -> bool {
    let path = Path::new(id.as_ref());
    let mut components = path.components();
    let one = matches!(components.next(), Some(Component::Normal(name)) if name == id.as_ref());
    one && components.next().is_none()
        && Path::new("/root").join(path).parent() == Some(Path::new("/root"))
        && !id.as_ref().contains('\0')
        && id.as_ref().len() <= 255
}

proptest! {
    #[test]
    fn what_is_accepted_is_one_file_name(text in prop_oneof![".*", "[./_a+-]{0,6}", "[a-z._+-]{250,260}"]) {
        if let Ok(id) = text.parse::<ContainerId>() {
            prop_assert!(is_contained(&id));
            prop_assert_eq!(id.as_ref(), text);
        }
    }

    #[test]
    fn what_engines_use_is_accepted(text in "[A-Za-z0-9][A-Za-z0-9_.+-]{0,254}") {
        prop_assert!(text.parse::<ContainerId>().is_ok());
    }
}
