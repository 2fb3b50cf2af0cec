//! What has to hold for any input at all. The fuzz targets (`fuzz/`) call these functions, and
//! tests call them with the inputs that are kept there.

#![allow(clippy::unwrap_used, reason = "what does not hold is to end the program")]

use std::io::{self, IoSlice, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Component, Path};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use protobuf::Message as _;
use protobuf::well_known_types::any::Any;
use runj_jail::JailName;
use runj_spec::Extension;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::bootstrap::Request;
use crate::error::{Error, whole};
use crate::flags::Flags;
use crate::identity::Identity;
use crate::io::ConsoleSocket;
use crate::jail_name::qualified;
use crate::options::{Options, from_body};
use crate::rpc::{bootstrap::BootstrapResult, runtime_options};
use crate::service::described;

/// Reads the input as a namespace and, behind a NUL, an id; without one, as an id. Those that are
/// accepted are names of files, and no others have the same names of jails.
///
/// # Panics
///
/// When they are not, or have.
pub fn id(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (namespace, id) = text.split_once('\0').unwrap_or(("default", &text));
    let Some(identity) = heard(Identity::of(&flags(namespace, id))) else { return };
    for name in [&identity.namespace, &identity.id] {
        let components: Vec<_> = Path::new(name.as_ref()).components().collect();
        assert_eq!(components, [Component::Normal(name.as_ref().as_ref())]);
    }
    // What can be read back is nobody else's. No id has an @.
    let names = [identity.id.jail_name(), qualified(&identity)];
    for (name, from) in names.iter().zip([id, &format!("{id}@{namespace}")]) {
        assert_eq!(percent_decode_str(name).decode_utf8().unwrap(), from);
        let read = name.parse::<JailName>();
        assert_eq!(read.is_ok(), name.len() <= 255);
        assert_eq!(read.ok().and_then(|name| name.parent()), None);
    }
}

/// Reads the input, but for its first byte that says which of it, as what containerd and its
/// clients send to a shim. Options that are accepted can be given to `runj`; whatever is refused is
/// refused on one line.
///
/// # Panics
///
/// When they cannot, or it is not.
pub fn options(input: &[u8]) {
    let Some((kind, value)) = input.split_first() else { return };
    let flags = flags("default", "web");
    let value = value.to_vec();
    let any =
        |type_url: &str| Any { type_url: type_url.into(), value: value.clone(), ..Any::default() };
    match kind {
        b'A' => {
            if let Ok(any) = Any::parse_from_bytes(&value) {
                read(&any, &flags);
            }
        }
        b'R' => read(&any("runtimeoptions.v1.Options"), &flags),
        b'J' => read(&any("runj.options.v1.Options"), &flags),
        b'T' => {
            if let Some(text) = heard(from_body(&value)) {
                let _ = heard(Extension::parse(&text, "config_body").map_err(Error::from));
            }
        }
        b'P' => {
            if let Some(process) = heard(described(&value, true)) {
                assert!(runj_spec::Process::parse(&process, "process").unwrap().terminal);
            }
        }
        _ => {
            let answer = Request::parse(&value, &flags).answer("unix:///s").unwrap();
            let message = BootstrapResult::parse_from_bytes(&answer).map(|result| result.address);
            assert!(answer == b"unix:///s" || message.unwrap() == "unix:///s");
        }
    }
}

fn read(any: &Any, flags: &Flags) {
    // What a path leads to is no part of the input.
    if runtime_options::Options::parse_from_bytes(&any.value)
        .is_ok_and(|options| !options.config_path.is_empty())
    {
        return;
    }
    let namespace = flags.namespace.parse().unwrap();
    if let Some(options) = heard(Options::read(Some(any), &namespace)) {
        assert!(options.root.is_absolute());
        if let Some(text) = &options.extension {
            Extension::parse(text, Extension::FILE_NAME).unwrap();
        }
    }
}

/// Leaves messages at the socket for a terminal. The input has for each the number of descriptors
/// beside it and its length, each a byte, and its text. The descriptor of the first message is
/// taken, and no other stays open. One that comes later may be, as the kernel joins messages.
///
/// # Panics
///
/// When it is not, or another does.
pub fn console(mut input: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let socket = ConsoleSocket::listen(directory.path().join("s")).unwrap();
    let peer = UnixStream::connect(socket.path()).unwrap();
    peer.set_nonblocking(true).unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut sent = Vec::new();
    // FreeBSD's kernel delivers descriptors without text by themselves, Linux's none of them. Of
    // more descriptors than there is room for, Linux's delivers those that fit, FreeBSD's none.
    let mut without_text = false;
    while let &[descriptors, length, ref rest @ ..] = input {
        let (text, rest) = rest.split_at(rest.len().min(length.into()));
        input = rest;
        let descriptors = usize::from(descriptors % 16);
        if send(&peer, text, &theirs, descriptors).is_ok() {
            if text.is_empty() {
                without_text = true;
            } else {
                sent.push(descriptors);
            }
        }
    }
    drop((peer, theirs));
    let taken = socket.take();
    match sent.first() {
        _ if without_text && cfg!(target_os = "freebsd") => {}
        Some(2..) if cfg!(target_os = "freebsd") => {}
        Some(1..) => assert!(taken.is_ok()),
        _ => assert!(taken.is_err() || sent.iter().any(|&count| count > 0)),
    }
    drop(taken);
    // The end comes once nobody has the other side any more.
    ours.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
}

fn send(peer: &UnixStream, text: &[u8], descriptor: &UnixStream, count: usize) -> io::Result<()> {
    let descriptors = vec![descriptor.as_fd(); count];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let text = [IoSlice::new(text)];
    rustix::net::sendmsg(peer, &text, &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn flags(namespace: &str, id: &str) -> Flags {
    Flags::parse(["-namespace", namespace, "-id", id, "start"].map(Into::into)).unwrap()
}

/// The result; if it is an error, its message is one line, and no control character is in it.
fn heard<T>(result: Result<T, Error>) -> Option<T> {
    result
        .map_err(|error| {
            let text = whole(&error);
            assert!(!text.is_empty() && !text.chars().any(char::is_control), "{text:?}");
        })
        .ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn inputs_that_are_kept() {
        for (target, run) in [
            ("id", super::id as fn(&[u8])),
            ("options", super::options),
            ("console", super::console),
        ] {
            runj_fuzz_inputs::replay(target, run);
        }
    }
}
