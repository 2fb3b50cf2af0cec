//! The command line, in the form that containerd gives it: Go's flags, then one word.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::error::Error;

/// What the program is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Say what it is, in containerd's form.
    Info,
    /// Say what it is, for a person.
    Version,
    /// Start the shim of a container and tell its address.
    Start,
    /// Be the shim. Only `start` asks for this.
    Serve,
    /// Clean up after a shim.
    Delete,
}

/// The flags that concern this shim; containerd gives others too.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) action: Action,
    /// The containerd namespace.
    pub(crate) namespace: String,
    pub(crate) id: String,
    /// containerd's own socket.
    pub(crate) address: PathBuf,
    /// The container's bundle; without it, the working directory.
    pub(crate) bundle: Option<PathBuf>,
    /// Where the shim's own socket is, for [`Action::Serve`].
    pub(crate) socket: PathBuf,
    pub(crate) debug: bool,
}

impl Flags {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let mut flags = Self {
            action: Action::Serve,
            namespace: String::new(),
            id: String::new(),
            address: PathBuf::new(),
            bundle: None,
            socket: PathBuf::new(),
            debug: false,
        };
        let mut action = None;
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let bytes = arg.as_bytes();
            let Some(flag) = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-")) else {
                action = Some(arg);
                break;
            };
            let (name, value) = match flag.iter().position(|&byte| byte == b'=') {
                Some(at) => (&flag[..at], Some(OsStr::from_bytes(&flag[at + 1..]).to_owned())),
                None => (flag, None),
            };
            match name {
                b"debug" => flags.debug = value.is_none_or(|value| value != "false"),
                b"info" => flags.action = Action::Info,
                b"v" | b"version" => flags.action = Action::Version,
                name => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    let missing = || Error::Unusable {
                        place: format!("-{name}"),
                        value: "nothing".into(),
                        reason: "expected a value".into(),
                    };
                    let value = value.or_else(|| args.next()).ok_or_else(missing)?;
                    flags.set(&name, value)?;
                }
            }
        }
        flags.action = match (flags.action, action) {
            (Action::Serve, Some(action)) => match action.as_bytes() {
                b"start" => Action::Start,
                b"delete" => Action::Delete,
                _ => {
                    return Err(Error::Unusable {
                        place: "action".into(),
                        value: format!("{action:?}"),
                        reason: "expected start or delete".into(),
                    });
                }
            },
            (action, _) => action,
        };
        Ok(flags)
    }

    fn set(&mut self, name: &str, value: OsString) -> Result<(), Error> {
        let text = |value: OsString| {
            value.into_string().map_err(|value| Error::Unusable {
                place: format!("-{name}"),
                value: format!("{value:?}"),
                reason: "expected UTF-8".into(),
            })
        };
        match name {
            "namespace" => self.namespace = text(value)?,
            "id" => self.id = text(value)?,
            "address" => self.address = value.into(),
            "bundle" => self.bundle = Some(value.into()),
            "socket" => self.socket = value.into(),
            // Events go to containerd's socket, not through its program.
            "publish-binary" => {}
            _ => {
                return Err(Error::Unusable {
                    place: format!("-{name}"),
                    value: format!("{value:?}"),
                    reason: "there is no such flag".into(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, Error> {
        Flags::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn containerd_s_own_lines_are_read() {
        let line = "-namespace default -address /run/containerd/containerd.sock \
                    -publish-binary /usr/bin/containerd -id c1 -debug start";
        let flags = parse(line).unwrap();
        assert_eq!(flags.action, Action::Start);
        assert_eq!((flags.namespace.as_str(), flags.id.as_str()), ("default", "c1"));
        assert_eq!(flags.address, PathBuf::from("/run/containerd/containerd.sock"));
        assert!(flags.debug);

        let flags = parse("-namespace=ns -id c -address a -bundle /b delete").unwrap();
        assert_eq!((flags.action, flags.bundle), (Action::Delete, Some("/b".into())));
        assert_eq!(parse("-info").unwrap().action, Action::Info);
        assert_eq!(parse("--id c").unwrap().action, Action::Serve);
    }

    #[test]
    fn wrong_lines_are_refused() {
        assert!(parse("-id").unwrap_err().to_string().contains("-id"));
        assert!(parse("-what is").unwrap_err().to_string().contains("no such flag"));
        assert!(parse("stop").unwrap_err().to_string().contains("expected start or delete"));
    }
}
