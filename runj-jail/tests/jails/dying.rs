//! A jail that is removed while something still refers to it: a closed TCP connection, which stays
//! in `TIME_WAIT` for a minute.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use runj_jail::{Errno, Jail, Jailsys, Params};

use crate::cases;
use crate::support::{SOON, TestJail, jail, named, params, refusal};
use crate::sys;

/// Why the development host does not know this.
pub(crate) const ONLY_FREEBSD: &str = "an emulated jail is gone with its last process";

cases![
    a_connection_keeps_a_jail_dying,
    the_name_of_a_dying_jail_is_free,
    the_jid_of_a_dying_jail_is_taken,
    a_dying_jail_cannot_be_entered,
    a_dying_jail_cannot_be_changed,
    a_dying_jail_is_removed_again_without_complaint,
    a_dying_jail_has_no_processes,
];

/// A jail that was removed, and is dying: a server in it closed a connection first.
fn dying() -> TestJail {
    let jail = jail(Params::new().jailsys("ip4", Jailsys::Inherit));
    let mut server = sys::start(*jail, |output| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        writeln!(output, "{}", listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"bye").unwrap();
    });
    let mut stream = TcpStream::connect(server.line()).unwrap();
    server.finish();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "bye");
    drop(stream);
    jail.remove().unwrap();
    assert_eq!(Jail::by_jid(jail.jid()).unwrap(), None);
    assert_eq!(Jail::remains(jail.jid()).unwrap(), Some(*jail), "it should be dying");
    jail
}

fn a_connection_keeps_a_jail_dying() {
    let jail = dying();
    assert!(!Jail::list().unwrap().contains(&jail));
    // Name and root are still told.
    assert_eq!(jail.name().unwrap(), jail.name.to_string());
    let root = jail.root.path().canonicalize().unwrap();
    assert_eq!(jail.path().unwrap(), root.to_str().unwrap());
}

fn the_name_of_a_dying_jail_is_free() {
    let old = dying();
    assert_eq!(Jail::find(&old.name).unwrap(), None);
    let new = named(old.name.as_str(), Params::new());
    assert_eq!(Jail::find(&old.name).unwrap(), Some(*new));
    assert_ne!(new.jid(), old.jid());
}

fn the_jid_of_a_dying_jail_is_taken() {
    let old = dying();
    let root = tempfile::tempdir().unwrap();
    let jid = old.jid();
    let refused = refusal(Jail::create(&params(&jid.to_string(), &root)));
    assert_eq!(refused, (Errno::EEXIST, Some(format!("jail {jid} already exists"))));
}

fn a_dying_jail_cannot_be_entered() {
    assert_eq!(sys::enter(*dying()), Err(Errno::EINVAL));
}

fn a_dying_jail_cannot_be_changed() {
    let jail = dying();
    let change = Params::new().flag("allow.chflags", true);
    let text = format!("jail {} is dying", jail.jid());
    assert_eq!(refusal(jail.update(&change)), (Errno::ENOENT, Some(text)));
}

fn a_dying_jail_is_removed_again_without_complaint() {
    dying().remove().unwrap();
}

fn a_dying_jail_has_no_processes() {
    let jail = dying();
    assert!(jail.wait_empty(SOON).unwrap());
    assert_eq!(jail.processes().unwrap(), []);
}
