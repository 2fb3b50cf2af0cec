//! HOME, which a process has even if nobody gives it one.
//!
//! The rule is runc's: of several the last one counts, and an empty one is none. Then it is the
//! home of the process's user in the container's own /etc/passwd, or `/`. Engines rely on it:
//! buildah leaves it to the runtime.

use std::ffi::CString;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::Path;

use nix::errno::Errno;
use runj_spec::Process;

use crate::beneath::{self, Found};

/// Of a file that is larger than this, in bytes, nothing is believed: it is the container's to make
/// as large as it likes.
const LARGEST: u64 = 1 << 20;

/// Whether an entry of an environment is one for HOME.
pub(crate) fn is_home(entry: &str) -> bool {
    entry.starts_with("HOME=")
}

/// The entry for HOME that `process.env` has, if it has one that counts.
pub(crate) fn given(process: &Process) -> Option<&str> {
    let last = process.env.iter().rev().find(|entry| is_home(entry))?;
    Some(last.as_str()).filter(|entry| *entry != "HOME=")
}

/// The entry for HOME of that user, in a container that has its root at `root`.
///
/// This is asked for at `create` once the container's mounts are made, before any hook runs, and at
/// `exec`. So an /etc that is mounted is the one that is looked at, as it is at that time. On FreeBSD
/// this is true also of what the container has mounted by itself.
pub(crate) fn of_user(root: &Path, uid: u32) -> CString {
    let entry = match passwd(root) {
        Ok(text) => home(&text, uid).map(|home| [b"HOME=", home].concat()),
        Err(Errno::ENOENT) => None,
        Err(errno) => {
            tracing::debug!("HOME is /: the container's /etc/passwd: {errno}");
            None
        }
    };
    entry.and_then(|entry| CString::new(entry).ok()).unwrap_or_else(|| c"HOME=/".into())
}

/// What is in the container's /etc/passwd. It may have put anything there.
fn passwd(root: &Path) -> Result<Vec<u8>, Errno> {
    let root = beneath::open_root(root)?;
    let (place, name) = match beneath::find(root.as_fd(), Path::new("etc/passwd"))? {
        Found::Other(place, name) => (place, name),
        Found::Directory(_) => return Err(Errno::EISDIR),
        Found::Missing(..) => return Err(Errno::ENOENT),
    };
    let file = beneath::open_file(place.fd.as_fd(), &name)?;
    let mut text = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut text).map_err(beneath::errno_of)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST) { Ok(text) } else { Err(Errno::EFBIG) }
}

/// The home of the first user of that uid in a passwd(5). Lines that make no sense are passed over.
fn home(text: &[u8], uid: u32) -> Option<&[u8]> {
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let fields: Vec<_> = line.split(|&byte| byte == b':').collect();
        let &[_name, _password, theirs, _gid, _comment, home, _shell] = fields.as_slice() else {
            return None;
        };
        let theirs: u32 = str::from_utf8(theirs).ok()?.parse().ok()?;
        (theirs == uid && home.starts_with(b"/") && !home.contains(&0)).then_some(home)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_s_home_is_found() {
        let text = concat!(
            "# $FreeBSD$\n",
            "root:*:0:0:Charlie &:/root:/bin/sh\n",
            "toor:*:0:0:Bourne-again Superuser:/toor:\n",
            "\n",
            "daemon:*:1:1:Owner of many system processes:/sbin:/usr/sbin/nologin",
        );
        let found = |uid| home(text.as_bytes(), uid);
        assert_eq!(found(0), Some(&b"/root"[..]), "the first one counts");
        assert_eq!(found(1), Some(&b"/sbin"[..]));
        assert_eq!(found(2), None);
    }

    #[test]
    fn lines_that_make_no_sense_are_passed_over() {
        for line in [
            &b"short:*:7:7:/short"[..],
            b"long:*:7:7::0:0:Of master.passwd:/long:/bin/sh",
            b"relative:*:7:7:x:home:/bin/sh",
            b"empty:*:7:7:x::/bin/sh",
            b"nul:*:7:7:x:/a\0b:/bin/sh",
            b"number:*:x7:7:x:/number:/bin/sh",
            b"large:*:4294967303:7:x:/large:/bin/sh",
            b"+:::::::",
            b"\xff:\xff:\xff:\xff:\xff:\xff:\xff",
        ] {
            let good = [line, b"good:*:7:7:x:/\xffgood:/bin/sh\n"].join(&b'\n');
            assert_eq!(home(&good, 7), Some(&b"/\xffgood"[..]), "{}", line.escape_ascii());
        }
        assert_eq!(home(b"", 0), None);
    }
}
