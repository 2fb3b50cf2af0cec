//! What has to hold for any input at all. The fuzz targets (`fuzz/`) call these functions, and
//! tests call them with the inputs that are kept there.

#![allow(clippy::unwrap_used, reason = "what does not hold is to end the program")]

use std::str::FromStr;

use crate::encode::{decode, encode};
use crate::param::{Kind, Param, Value};
use crate::{CpuSet, JailName, Rule};

const KINDS: [Kind; 6] = [Kind::Flag, Kind::Jailsys, Kind::Int, Kind::String, Kind::Ip4, Kind::Ip6];

/// Reads the input as the value of a parameter of each kind, and up to its first NUL as the name of
/// one, and as each text that this crate reads: what is read says the same when it is written.
///
/// # Panics
///
/// When it does not.
pub fn params(input: &[u8]) {
    let (name, bytes) = match input.iter().position(|&byte| byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, input),
    };
    let text = String::from_utf8_lossy(name);
    for kind in KINDS {
        // Names are ours, or a kernel's.
        let is_name = !text.is_empty() && !text.contains(char::is_control);
        if let Some(value) = decode(kind, bytes).filter(|_| is_name) {
            param(&Param { name: text.clone().into_owned(), value }, kind);
        }
    }
    same_when_written::<Rule>(&text);
    same_when_written::<CpuSet>(&text);
    same_when_written::<JailName>(&text);
    if let Ok(name) = text.parse::<JailName>() {
        assert!(name.as_str().len() <= 255);
        if let Some(parent) = name.parent() {
            let leaf = &name.as_str()[parent.as_str().len() + 1..];
            assert_eq!(parent.child(leaf), Ok(name));
        }
    }
}

fn param(param: &Param, kind: Kind) {
    assert!(!param.to_string().contains(char::is_control));
    let raw = encode(param).unwrap();
    let name = raw.name.to_str().unwrap();
    match param.value {
        Value::Flag(on) => {
            assert!(raw.value.is_empty());
            // The kernel looks at the name alone.
            assert_eq!(name == param.name, on);
        }
        _ => {
            assert_eq!(name, param.name);
            assert_eq!(decode(kind, &raw.value).as_ref(), Some(&param.value));
        }
    }
}

fn same_when_written<T: FromStr + ToString>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        let again = written.parse::<T>().map(|again| again.to_string());
        assert_eq!(again.ok(), Some(written));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn inputs_that_are_kept() {
        runj_fuzz_inputs::replay("params", super::params);
    }
}
