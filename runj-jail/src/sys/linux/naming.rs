//! Names of jails: full ones, own ones, and those that are numbers.

use nix::errno::Errno;

use super::prison::{HOST, Prison, Prisons};
use super::request::{MAXHOSTNAMELEN, bare, refused};
use crate::error::Error;

/// The jail that a new one of that name is in, and the name that it has there; an empty one
/// stands for the jid.
pub(super) fn place<'a>(
    prisons: &Prisons,
    name: Option<&'a str>,
) -> Result<(Prison, Option<&'a str>), Error> {
    let Some(name) = name else { return Ok((Prison::host(), Some(""))) };
    let (parent, own) = match name.rsplit_once('.') {
        Some((parent, own)) => {
            let missing = || refused(Errno::ENOENT, format!("jail \"{parent}\" not found"));
            let found = prisons.by_name(parent).ok_or_else(missing)?;
            if found.dying {
                return Err(refused(Errno::ENOENT, format!("jail \"{parent}\" is dying")));
            }
            (found.clone(), own)
        }
        None => (Prison::host(), name),
    };
    if has_child(prisons, &parent, own, HOST) {
        return Err(refused(Errno::EEXIST, format!("jail \"{name}\" already exists")));
    }
    Ok((parent, Some(own)))
}

/// The own name that a jail gets by an update with that full or own name.
pub(super) fn renamed<'a>(
    prisons: &Prisons,
    prison: &Prison,
    parent: &Prison,
    name: &'a str,
) -> Result<&'a str, Error> {
    let own = match name.rsplit_once('.') {
        Some((within, _)) if within != parent.name => {
            return Err(refused(Errno::EINVAL, "cannot change jail's parent"));
        }
        Some((_, own)) => own,
        None => name,
    };
    if has_child(prisons, parent, own, prison.jid) {
        return Err(refused(Errno::EEXIST, format!("jail \"{name}\" already exists")));
    }
    Ok(own)
}

/// Whether a living jail other than `except` has that name in `parent`.
fn has_child(prisons: &Prisons, parent: &Prison, own: &str, except: i32) -> bool {
    !own.is_empty()
        && prisons.iter().any(|sibling| {
            sibling.jid != except
                && sibling.parent == parent.jid
                && !sibling.dying
                && sibling.own_name() == own
        })
}

pub(super) fn full_name(
    prisons: &Prisons,
    prison: &Prison,
    parent: &Prison,
    own: Option<&str>,
) -> Result<String, Error> {
    let jid = prison.jid.to_string();
    let own = match own {
        None | Some("") => &jid,
        // The jid in its normal form is the only number that may be a name.
        Some(own) if number(own).is_some() && own != jid => {
            let message = "name cannot be numeric (unless it is the jid)";
            return Err(refused(Errno::EINVAL, message));
        }
        Some(own) => own,
    };
    let name = match parent.jid {
        HOST => own.to_owned(),
        _ => format!("{}.{own}", parent.name),
    };
    let longest_below = prisons
        .descendants(prison.jid)
        .into_iter()
        .filter_map(|jid| Some(prisons.find(jid)?.name.len() - prison.name.len()))
        .max()
        .unwrap_or(0);
    if name.len() + longest_below >= MAXHOSTNAMELEN {
        return Err(bare(Errno::ENAMETOOLONG));
    }
    Ok(name)
}

/// The number that a name is to the kernel (`strtoul`, cut to an `int`); `None` when it is none.
pub(super) fn number(text: &str) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<u64>().unwrap_or(u64::MAX);
    let value = if negative && value != u64::MAX { value.wrapping_neg() } else { value };
    // The kernel keeps the low 32 bits.
    let [a, b, c, d, ..] = value.to_le_bytes();
    Some(i32::from_le_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn names_that_are_numbers() {
        for (text, value) in [
            ("7", 7),
            ("007", 7),
            (" 7", 7),
            ("+7", 7),
            ("0", 0),
            ("-1", -1),
            ("4294967295", -1),
            ("99999999999999999999999", -1),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "a", "7a", "7 ", "-", " ", "0x7"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
