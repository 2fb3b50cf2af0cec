//! The list of parameters as the kernel keeps it, with the rules of `vfs_buildopts`,
//! `vfs_sanitizeopts` and their kin (`kern/vfs_mount.c`), which jails share with mounts.

use std::cell::Cell;

use nix::errno::Errno;

use crate::encode::RawParam;

pub(super) struct Options<'a>(Vec<Opt<'a>>);

struct Opt<'a> {
    name: &'a str,
    value: &'a [u8],
    /// Whether anybody asked for it; what nobody asked for is unknown.
    seen: Cell<bool>,
}

impl<'a> Options<'a> {
    /// Takes the parameters in; of several that mean the same only the last one counts.
    pub(super) fn new(params: &'a [RawParam]) -> Result<Self, Errno> {
        let mut options: Vec<Opt<'a>> = Vec::new();
        for param in params {
            let name = param.name.to_str().map_err(|_| Errno::EINVAL)?;
            options.retain(|earlier| !same(earlier.name, name));
            options.push(Opt { name, value: &param.value, seen: Cell::new(false) });
        }
        Ok(Self(options))
    }

    /// The bytes of a parameter.
    pub(super) fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        let option = self.0.iter().find(|option| option.name == name)?;
        option.seen.set(true);
        Some(option.value)
    }

    /// A C `int`.
    pub(super) fn int(&self, name: &str) -> Result<Option<i32>, Errno> {
        let int = |bytes: &[u8]| bytes.try_into().map(i32::from_ne_bytes);
        self.bytes(name).map(int).transpose().map_err(|_| Errno::EINVAL)
    }

    /// A C `unsigned long`.
    pub(super) fn ulong(&self, name: &str) -> Result<Option<u64>, Errno> {
        let ulong = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes);
        self.bytes(name).map(ulong).transpose().map_err(|_| Errno::EINVAL)
    }

    /// A text of at most `room` bytes, its NUL included.
    pub(super) fn string(&self, name: &str, room: usize) -> Result<Option<&'a str>, Errno> {
        let Some(bytes) = self.bytes(name) else { return Ok(None) };
        let Some((0, text)) = bytes.split_last() else { return Err(Errno::EINVAL) };
        if bytes.len() > room {
            return Err(Errno::ENAMETOOLONG);
        }
        str::from_utf8(text).map(Some).map_err(|_| Errno::EINVAL)
    }

    /// A flag: on by its name, off by the name with a `no`.
    pub(super) fn flag(&self, name: &str, off: &str) -> Option<bool> {
        let on = self.bytes(name).map(|_| true);
        self.bytes(off).map(|_| false).or(on)
    }

    /// The first parameter that nobody has asked for.
    pub(super) fn unknown(&self) -> Option<&'a str> {
        self.0.iter().find(|option| !option.seen.get()).map(|option| option.name)
    }
}

/// Whether two names mean the same parameter, one perhaps with a `no` before a component
/// (`vfs_equalopts`).
fn same(a: &str, b: &str) -> bool {
    let negates = |off: &str, on: &str| off.strip_prefix("no") == Some(on);
    let (mut a, mut b) = (a, b);
    loop {
        if a == b || negates(a, b) || negates(b, a) {
            return true;
        }
        match (a.split_once('.'), b.split_once('.')) {
            (Some((head_a, rest_a)), Some((head_b, rest_b))) if head_a == head_b => {
                (a, b) = (rest_a, rest_b);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: &str, value: &[u8]) -> RawParam {
        RawParam { name: std::ffi::CString::new(name).unwrap(), value: value.to_vec() }
    }

    #[test]
    fn the_last_of_a_flag_and_its_opposite_counts() {
        let params = [raw("allow.mount.nullfs", b""), raw("allow.mount.nonullfs", b"")];
        let options = Options::new(&params).unwrap();
        let flag = options.flag("allow.mount.nullfs", "allow.mount.nonullfs");
        assert_eq!(flag, Some(false));
        assert_eq!(options.unknown(), None);
    }

    #[test]
    fn names_that_mean_the_same() {
        for (a, b) in [("persist", "nopersist"), ("a.b", "a.nob"), ("a.nob", "a.b"), ("x", "x")] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("a.b", "a.c"), ("a.b", "b"), ("allow.mount", "allow.mount.nullfs")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_text_ends_in_nul() {
        let params = [raw("name", b"a"), raw("path", b""), raw("host.hostname", b"abc\0")];
        let options = Options::new(&params).unwrap();
        assert_eq!(options.string("name", 256), Err(Errno::EINVAL));
        assert_eq!(options.string("path", 256), Err(Errno::EINVAL));
        assert_eq!(options.string("host.hostname", 4), Ok(Some("abc")));
        assert_eq!(options.string("host.hostname", 3), Err(Errno::ENAMETOOLONG));
    }

    #[test]
    fn an_int_is_of_its_size() {
        let params = [raw("jid", b"\x01")];
        assert_eq!(Options::new(&params).unwrap().int("jid"), Err(Errno::EINVAL));
    }
}
