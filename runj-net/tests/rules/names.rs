//! `name`, for the ids that containers can have.

use nix::errno::Errno;
use runj_jail::{JailName, Params};
use runj_spec::ContainerId;

use crate::ask::{assert_refused, fresh_name, kernel_names};
use crate::cases;

cases![
    a_number_is_a_jid,
    a_number_that_is_no_jid,
    a_dot_is_a_parent,
    a_name_that_is_taken,
    a_name_that_is_too_long,
    no_name_is_the_jid,
];

/// The name that runj gives the jail of a container of that id.
fn ours(id: &str) -> String {
    id.parse::<ContainerId>().unwrap().jail_name()
}

/// An id of digits gets a name that is none.
fn a_number_is_a_jid() {
    let number = format!("7{:05}", std::process::id());
    let made = kernel_names(&number, Params::new()).unwrap();
    assert_eq!((made.jid().to_string(), made.name().unwrap()), (number.clone(), number.clone()));
    let text = format!("jail {number} already exists");
    assert_refused(kernel_names(&number, Params::new()), Errno::EEXIST, Some(&text));
    let encoded = kernel_names(&ours(&number), Params::new()).unwrap();
    assert_eq!(encoded.name().unwrap(), ours(&number));
    assert_ne!(encoded.jid(), made.jid());
    number.parse::<JailName>().unwrap_err();
}

fn a_number_that_is_no_jid() {
    let numeric = "name cannot be numeric (unless it is the jid)";
    for name in ["0", "007"] {
        assert_refused(kernel_names(name, Params::new()), Errno::EINVAL, Some(numeric));
        kernel_names(&ours(name), Params::new()).unwrap();
    }
    for name in ["-7", "4294967295"] {
        let refused = kernel_names(name, Params::new());
        assert_refused(refused, Errno::EINVAL, Some("negative jid"));
    }
    // An id cannot begin with a sign.
    "-7".parse::<ContainerId>().unwrap_err();
    kernel_names(&ours("4294967295"), Params::new()).unwrap();
}

fn a_dot_is_a_parent() {
    let missing = fresh_name();
    let name = format!("{missing}.1a");
    let text = format!("jail \"{missing}\" not found");
    assert_refused(kernel_names(&name, Params::new()), Errno::ENOENT, Some(&text));
    let encoded = kernel_names(&ours(&name), Params::new()).unwrap();
    assert_eq!(encoded.name().unwrap(), format!("{missing}%2e1a"));
}

fn a_name_that_is_taken() {
    let name = fresh_name();
    let _taken = kernel_names(&name, Params::new()).unwrap();
    let text = format!("jail \"{name}\" already exists");
    assert_refused(kernel_names(&name, Params::new()), Errno::EEXIST, Some(&text));
}

fn a_name_that_is_too_long() {
    let longest = "n".repeat(255);
    kernel_names(&longest, Params::new()).unwrap();
    longest.parse::<JailName>().unwrap();
    let longer = "n".repeat(256);
    assert_refused(kernel_names(&longer, Params::new()), Errno::ENAMETOOLONG, None);
    longer.parse::<JailName>().unwrap_err();

    // It is the full name that counts.
    let parent = fresh_name();
    let _parent = kernel_names(&parent, Params::new().int("children.max", 5)).unwrap();
    let room = 255 - parent.len() - 1;
    kernel_names(&format!("{parent}.{}", "c".repeat(room)), Params::new()).unwrap();
    let longer = format!("{parent}.{}", "c".repeat(room + 1));
    assert_refused(kernel_names(&longer, Params::new()), Errno::ENAMETOOLONG, None);
    longer.parse::<JailName>().unwrap_err();
}

/// Nothing in a bundle asks for it.
fn no_name_is_the_jid() {
    let made = kernel_names("", Params::new()).unwrap();
    assert_eq!(made.name().unwrap(), made.jid().to_string());
    "".parse::<JailName>().unwrap_err();

    let parent = fresh_name();
    let _parent = kernel_names(&parent, Params::new().int("children.max", 5)).unwrap();
    let made = kernel_names(&format!("{parent}."), Params::new()).unwrap();
    assert_eq!(made.name().unwrap(), format!("{parent}.{}", made.jid()));
}
